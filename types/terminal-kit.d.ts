/** terminal-kit 3.1.4: the part that the full-screen debugger uses. */
declare module 'terminal-kit' {
  export interface TerminalOptions {
    readonly stdin: NodeJS.ReadableStream;
    readonly stdout: NodeJS.WriteStream;
    readonly stderr: NodeJS.WriteStream;
    /** A terminal's name: which escape sequences are sent and understood. */
    readonly generic: string;
    readonly isTTY: boolean;
    readonly isSSH: boolean;
    readonly processSigwinch: boolean;
  }

  export interface Terminal {
    readonly width: number;
    readonly height: number;
    /** Set: no input is handled any more, and nothing is written when the process ends. */
    shutdown: boolean;
    on(event: 'key', listener: (name: string) => void): void;
    on(event: 'resize', listener: (width: number, height: number) => void): void;
    off(event: 'key' | 'resize', listener: (...args: never[]) => void): void;
    fullscreen(on: boolean): void;
    grabInput(on: boolean): void;
    hideCursor(hide?: boolean): void;
    styleReset(): void;
    clear(): void;
    moveTo(x: number, y: number): void;
  }

  export interface Attributes {
    readonly color?: string;
    readonly bold?: boolean;
    readonly dim?: boolean;
    readonly inverse?: boolean;
  }

  export class ScreenBuffer {
    constructor(options: {
      readonly dst: Terminal;
      readonly width: number;
      readonly height: number;
    });
    fill(): void;
    put(
      options: {
        readonly x: number;
        readonly y: number;
        readonly attr: Attributes;
        readonly wrap: boolean;
      },
      text: string,
    ): void;
    draw(options: { readonly delta: boolean }): void;
  }

  const terminalKit: {
    createTerminal(options: TerminalOptions): Terminal;
    readonly ScreenBuffer: typeof ScreenBuffer;
  };
  export default terminalKit;
}
