/** A step's heading takes the focus, so that a screen reader starts where the new page does. */
export function headed(node: HTMLElement): void {
  node.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}
