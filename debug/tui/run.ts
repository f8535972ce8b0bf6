/** Runs the full-screen debugger on this process's terminal. */
import { constants } from 'node:os';
import { App } from './app.js';
import { openScreen } from './screen.js';
import { Session, type SessionStart } from './session.js';

/** Signals that end a session. The terminal is restored first. */
const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const;

/**
 * Debug until the user quits.
 * @param color whether colours may be used
 * @returns the exit status: 0, or 128 plus the number of the signal that ended it
 * @throws any error inside the debugger, after the terminal has been restored
 */
export async function runDebugger(start: SessionStart, color: boolean): Promise<number> {
  const session = new Session(start);
  return new Promise((resolve, reject) => {
    const finish = (end: () => void): void => {
      for (const signal of SIGNALS) process.removeListener(signal, onSignal);
      process.removeListener('uncaughtException', onError);
      process.removeListener('unhandledRejection', onError);
      screen.close();
      end();
    };
    const onSignal = (signal: NodeJS.Signals): void => {
      finish(() => {
        resolve(128 + constants.signals[signal]);
      });
    };
    const onError = (error: unknown): void => {
      finish(() => {
        reject(error instanceof Error ? error : new Error(String(error)));
      });
    };
    for (const signal of SIGNALS) process.on(signal, onSignal);
    process.on('uncaughtException', onError);
    process.on('unhandledRejection', onError);
    const screen = openScreen(color && hasColors(process.env['TERM'] ?? ''), {
      key: (name) => {
        app.key(name);
      },
      resized: () => {
        app.draw();
      },
      lost: () => {
        onSignal('SIGHUP');
      },
    });
    const app = new App(session, screen, (error) => {
      if (error === undefined) {
        finish(() => {
          resolve(0);
        });
      } else onError(error);
    });
    app.draw();
  });
}

/** Whether a terminal of this name may have colours. The old video terminals have none. */
function hasColors(name: string): boolean {
  return !/^vt\d|-m(ono)?$/.test(name);
}
