/** What a fault program may do to a part of the system. The parts of tools/cluster can do the same. */
export type FaultPart = {
  readonly name: string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same ports and data; resolves when it does its work. */
  start(): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void;
  /** SIGCONT. */
  resume(): void | Promise<void>;
};
