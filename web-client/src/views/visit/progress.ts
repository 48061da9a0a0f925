import type { Progress } from '../../api/client';

const STEPS: Progress[] = ['opened', 'testing', 'checked_in'];

/** Tells the desk each step up to `reached`, one after another. Nothing of the visit hangs on it. */
export async function tellProgress(tell: (step: Progress) => Promise<unknown>, reached: Progress): Promise<void> {
  for (const step of STEPS.slice(0, STEPS.indexOf(reached) + 1)) await tell(step);
}
