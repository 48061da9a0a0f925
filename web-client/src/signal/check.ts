import type { DurableMessage, Limits } from './types';

const bytes = (text: string): number => new TextEncoder().encode(text).length;

/** What the envelope adds to a message: a number and a session's name. */
const ENVELOPE_BYTES = 128;
const NAME_BYTES = 64;
const MINUTES = { least: 5, most: 60 };
const PHONE_BYTES = { least: 3, most: 32 };

/** What of a message is not as it must be; `undefined` if all is. Asked before the message gets a number. */
export function outOfBounds(message: DurableMessage, limits: Limits): string | undefined {
  // The text of a description doubles its line ends in a frame: what fits its own limit may still be above the frame's.
  return own(message, limits) ?? (frameBytes(message) > limits.frame_bytes ? 'frame' : undefined);
}

function own(message: DurableMessage, limits: Limits): string | undefined {
  switch (message.type) {
    case 'sdp':
      return bytes(message.sdp) > limits.sdp_bytes ? 'sdp' : undefined;
    case 'ice':
      return message.candidates.length > limits.ice_batch ? 'candidates' : undefined;
    case 'chat':
      if (message.text === '' && !message.canned) return 'text';
      if (message.id === '' || bytes(message.id) > NAME_BYTES || bytes(message.canned ?? '') > NAME_BYTES) return 'id';
      return longText(message.text, limits) ? 'text' : undefined;
    case 'admit':
    case 'deny':
    case 'hold':
    case 'remove':
      return longText(message.message ?? '', limits) ? 'message' : undefined;
    case 'extend':
      return within(message.minutes, MINUTES) ? undefined : 'minutes';
    case 'call_me':
      return within(bytes(message.number), PHONE_BYTES) ? undefined : 'number';
    default:
      return undefined;
  }
}

const frameBytes = (message: DurableMessage): number => bytes(JSON.stringify(message)) + ENVELOPE_BYTES;

const within = (value: number, { least, most }: { least: number; most: number }): boolean =>
  least <= value && value <= most;

function longText(text: string, limits: Limits): boolean {
  return [...text].length > limits.chat_chars || bytes(text) > limits.chat_bytes;
}
