/**
 * Looks at the camera all the time. Chromium pauses a camera while nothing shows or sends it, as between two pages of a
 * visit, and takes up to two seconds to go on.
 */
export class Onlooker {
  #video: HTMLVideoElement | undefined;

  look(stream: MediaStream | undefined): void {
    if (stream === (this.#video?.srcObject ?? undefined)) return;
    this.#video ??= document.createElement('video');
    this.#video.muted = true;
    this.#video.srcObject = stream ?? null;
    // It is never shown, and a browser that refuses to play it only pauses sooner.
    if (stream) this.#video.play().catch(() => undefined);
  }
}
