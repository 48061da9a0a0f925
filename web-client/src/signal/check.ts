import type { DurableMessage, Limits } from './types';

const bytes = (text: string): number => new TextEncoder().encode(text).length;

/** What of a message is above its limit; `undefined` if nothing is. Asked before the message gets a number. */
export function tooLarge(message: DurableMessage, limits: Limits): string | undefined {
  switch (message.type) {
    case 'sdp':
      return bytes(message.sdp) > limits.sdp_bytes ? 'sdp' : undefined;
    case 'ice':
      return message.candidates.length > limits.ice_batch ? 'candidates' : undefined;
    case 'chat':
      return longText(message.text, limits) ? 'text' : undefined;
    case 'admit':
    case 'deny':
    case 'hold':
    case 'remove':
      return longText(message.message ?? '', limits) ? 'message' : undefined;
    default:
      return undefined;
  }
}

function longText(text: string, limits: Limits): boolean {
  return [...text].length > limits.chat_chars || bytes(text) > limits.chat_bytes;
}
