import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BINARY = process.env.HELIOGRAPH_BIN ?? fileURLToPath(new URL('../../../target/debug/heliograph', import.meta.url));
/** SERVER_LOG=1: the server's own log goes to the terminal. */
const LOUD = Boolean(process.env.SERVER_LOG);
/** What of the log is told when the server does not start. */
const LAST_WORDS = 20;

/** One line of what `serve --demo` prints: a role, who it is, and the way in. */
export interface Door {
  role: string;
  who: string;
  url: string;
}

/** A real server with the demo clinic in a folder of its own. */
export class Server {
  readonly base: string;
  readonly doors: Door[];
  readonly #folder: string;
  readonly #simulate: boolean;
  #process: ChildProcess;

  private constructor(lines: string[], child: ChildProcess, folder: string, simulate: boolean) {
    const { base, doors } = readLines(lines);
    this.base = base;
    this.doors = doors;
    this.#process = child;
    this.#folder = folder;
    this.#simulate = simulate;
  }

  /** `simulate`: pages may ask it for faults. */
  static async start(simulate: boolean): Promise<Server> {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: build it with \`cargo build -p heliograph-server\`, or set HELIOGRAPH_BIN`);
    const folder = mkdtempSync(join(tmpdir(), 'heliograph-browser-'));
    const { child, lines } = await serve(['--demo', '--listen', '127.0.0.1:0', '--data', folder], simulate);
    return new Server(lines, child, folder, simulate);
  }

  /** The way in of one who has that role, the first unless `who` says which. */
  door(role: string, who = ''): string {
    const door = this.doors.find((one) => one.role === role && one.who.includes(who));
    if (!door) throw new Error(`the server printed no link for ${role} ${who}`);
    return door.url;
  }

  /** Ends the process as a power cut would, and waits until it is gone. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Waits until the process has ended by itself. */
  async gone(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    await new Promise((resolve) => this.#process.once('exit', resolve));
  }

  /** Ends the process in order: it tells its pages that it will be back. The folder stays. */
  end(): Promise<void> {
    return this.#end('SIGTERM');
  }

  /** The same service once more: port and folder are those of before. */
  async again(): Promise<void> {
    const { child } = await serve(['--listen', new URL(this.base).host, '--data', this.#folder], this.#simulate);
    this.#process = child;
  }

  /** Takes what the killed server had written of its rooms. */
  forgetRooms(): void {
    rmSync(join(this.#folder, 'rooms'), { recursive: true });
  }

  async stop(): Promise<void> {
    await this.end();
    rmSync(this.#folder, { recursive: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const gone = this.gone();
    this.#process.kill(signal);
    await gone;
  }
}

/** Starts the server and waits until it takes requests; the lines are what it printed until then. */
async function serve(args: string[], simulate: boolean): Promise<{ child: ChildProcess; lines: string[] }> {
  const env = { ...ownSettings(), HELIOGRAPH_DEVELOPMENT__SIMULATE: `${simulate}` };
  const child = spawn(BINARY, ['serve', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    log.push(line);
    log.splice(0, log.length - LAST_WORDS);
    if (LOUD) console.error(line);
  });
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it was ready:\n${log.join('\n')}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      if (line.startsWith('stop ')) resolve();
    });
  });
  return { child, lines };
}

/** The server reads HELIOGRAPH_* as its configuration; here all of it is usual but what a test asks for. */
function ownSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HELIOGRAPH_')));
}

/** `listening on URL`, then a line `role  who  URL` for each way in. */
export function readLines(lines: string[]): { base: string; doors: Door[] } {
  const base = lines.map((line) => /^listening on (http\S+)$/.exec(line)?.[1]).find((url) => url !== undefined);
  if (!base) throw new Error(`no line "listening on" among:\n${lines.join('\n')}`);
  const doors = lines.flatMap((line) => {
    const [, role, who, url] = /^(\w+)\s+(.+?)\s+(http\S+\/(?:desk|v)\/#\S+)$/.exec(line) ?? [];
    return role && who && url ? [{ role, who, url }] : [];
  });
  return { base, doors };
}
