import { beforeEach, describe, expect, it, vi } from 'vitest';
import { failing, type Fault } from './simulate';
import type { Socket, SocketEvents } from './socket';

let server: SocketEvents[];
let sent: string[];
let heard: string[];
let socket: Socket;

const simulate = (what: Fault): void => window.__heliograph?.simulate(what);
const open = (): Socket =>
  failing((on) => {
    server.push(on);
    return { send: (text) => sent.push(text), close: () => sent.push('close') };
  })({
    open: () => heard.push('open'),
    text: (text) => heard.push(text),
    close: (code) => heard.push(`close ${code}`),
  });

beforeEach(() => {
  vi.stubGlobal('window', {});
  server = [];
  sent = [];
  heard = [];
  socket = open();
});

describe('a socket that is made to fail', () => {
  it('is like another until then', () => {
    server[0]?.open();
    server[0]?.text('{"type":"pong"}');
    socket.send('a');
    server[0]?.close(4001);
    expect(heard).toEqual(['open', '{"type":"pong"}', 'close 4001']);
    expect(sent).toEqual(['a']);
  });

  it('is closed as by a cut when it is dropped, once', () => {
    simulate('drop');
    server[0]?.text('{"type":"pong"}');
    server[0]?.close(1000);
    expect(heard).toEqual(['close 1006']);
    expect(sent).toEqual(['close']);
  });

  it('says and hears nothing in a black hole', () => {
    simulate('blackhole');
    socket.send('a');
    server[0]?.text('{"type":"pong"}');
    server[0]?.close(1006);
    expect([heard, sent]).toEqual([[], []]);
  });

  it('asks the server only where its welcome offers that', () => {
    expect(() => simulate('kill')).toThrow('no simulate');
    server[0]?.text('{"type":"welcome","simulate":true}');
    simulate('rewind');
    expect(sent).toEqual(['{"type":"simulate","what":"rewind"}']);
  });
});
