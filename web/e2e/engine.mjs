// A real engine with a database of its own, which a test may kill and start again.
import { spawn } from "node:child_process";
import { chmod, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

const BINARY = resolve(process.env.PARLANCE_BIN ?? join(import.meta.dirname, "../../target/debug/parlance"));
/** The first start makes a database cluster, which takes a while on a busy machine. */
const READY_MS_MAX = 120_000;
const STOP_MS_MAX = 20_000;

export class Engine {
  static async start(extra = {}) {
    // Postgres may run as another user than we do, and has to get into this folder.
    const folder = await mkdtemp(join(process.env.PARLANCE_TEST_FOLDER ?? tmpdir(), "parlance-e2e-"));
    await chmod(folder, 0o755);
    const engine = new Engine(folder, await freePort(), extra);
    try {
      await engine.serve();
    } catch (error) {
      await engine.stop();
      throw error;
    }
    return engine;
  }

  constructor(folder, port, extra) {
    this.folder = folder;
    this.port = port;
    this.extra = extra;
    this.process = null;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it, or starts it again, on the same folder and port. */
  async serve() {
    const log = await open(join(this.folder, "engine.log"), "a");
    const child = spawn(BINARY, ["serve"], { env: this.environment(), stdio: ["ignore", log.fd, log.fd] });
    this.process = child;
    this.ended = new Promise((done) => {
      child.once("exit", done);
      child.once("error", done);
    });
    await log.close();
    await this.ready();
  }

  /** Runs one of the binary's own tools beside the engine, with a line of input; gives what it prints. */
  async tool(words, input = "") {
    const child = spawn(BINARY, words, { env: this.environment(), stdio: ["pipe", "pipe", "pipe"] });
    child.stdin.end(`${input}\n`);
    const [printed, complaints] = await Promise.all([text(child.stdout), text(child.stderr)]);
    if (child.exitCode === null) await once(child, "exit");
    if (child.exitCode !== 0) throw new Error(`${words.join(" ")} failed:\n${complaints}`);
    return printed;
  }

  environment() {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(DATABASE_URL|PARLANCE_)/.test(name));
    return {
      ...Object.fromEntries(inherited),
      PARLANCE__SERVER__HOST: "127.0.0.1",
      PARLANCE__DEMO__ENABLED: "false",
      PARLANCE__SERVER__PORT: String(this.port),
      PARLANCE__STORAGE__DATA_DIR: join(this.folder, "data"),
      ...this.extra,
    };
  }

  async ready() {
    const until = Date.now() + READY_MS_MAX;
    while (Date.now() < until) {
      if (!this.isRunning) break;
      const answer = await fetch(`${this.url}/readyz`).catch(() => null);
      if (answer?.status === 200) return;
      await pause(100);
    }
    const log = await readFile(join(this.folder, "engine.log"), "utf8").catch(() => "");
    throw new Error(`${BINARY} did not become ready. The end of its log:\n${log.slice(-4000)}`);
  }

  get isRunning() {
    return this.process !== null && this.process.exitCode === null && this.process.signalCode === null;
  }

  /** As a crash would: no warning, no clean-up. */
  async kill() {
    this.process.kill("SIGKILL");
    await this.ended;
  }

  /** Orderly, with its Postgres, and without leaving anything behind. */
  async stop() {
    if (this.isRunning) {
      this.process.kill("SIGTERM");
      const stopped = await Promise.race([this.ended.then(() => true), pause(STOP_MS_MAX, false, { ref: false })]);
      if (!stopped) {
        await this.kill();
        throw new Error("The engine did not stop in time after SIGTERM.");
      }
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

function freePort() {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}
