/** One WebSocket as the client sees it. */
export interface Socket {
  send(text: string): void;
  close(): void;
}

export interface SocketEvents {
  open(): void;
  text(text: string): void;
  close(code: number): void;
}

export type OpenSocket = (on: SocketEvents) => Socket;

export const SUBPROTOCOL = 'heliograph.v1';

/** Opens a browser's WebSocket at the page's own origin. */
export function browserSocket(page: Location): OpenSocket {
  const address = `${page.protocol === 'https:' ? 'wss' : 'ws'}://${page.host}/ws`;
  return (on) => {
    const socket = new WebSocket(address, SUBPROTOCOL);
    socket.onopen = () => on.open();
    socket.onmessage = (event) => {
      if (typeof event.data === 'string') on.text(event.data);
    };
    socket.onclose = (event) => on.close(event.code);
    return {
      send: (text) => socket.send(text),
      close: () => socket.close(1000),
    };
  };
}

/** The browser's socket. Where the server says so in the page, tests can make it fail: see `simulate.ts`. */
export async function openSocket(): Promise<OpenSocket> {
  const open = browserSocket(location);
  if (!document.querySelector('meta[name="heliograph-simulate"]')) return open;
  const { failing } = await import('./simulate');
  return failing(open);
}
