/** The acts of a fault program on a part of the system. The parts of tools/cluster offer the same. */
export type FaultPart = {
  readonly name: string;
  /** Sends SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same ports and data; resolves when it is ready. */
  start(): Promise<void>;
  /** Sends SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void;
  /** Sends SIGCONT. */
  resume(): void | Promise<void>;
};
