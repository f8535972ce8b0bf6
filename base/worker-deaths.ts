/**
 * Counts worker processes that died and were replaced. No answer is lost with them, so they are not
 * part of a report, which must not depend on the processes that made it. But the user is told.
 */

/**
 * Is told of a death.
 * @param how the exit code or signal, in words
 * @param lastWords its last words on standard error, or ''
 */
export type DeathListener = (how: string, lastWords: string) => void;

/** Counts the deaths of workers. */
export class WorkerDeaths {
  private readonly deaths = new Map<string, { count: number; lastWords: string }>();
  private total = 0;

  /** Count one more death. */
  readonly add: DeathListener = (how, lastWords) => {
    const known = this.deaths.get(how) ?? { count: 0, lastWords: '' };
    const words = known.lastWords === '' ? lastWords : known.lastWords;
    this.deaths.set(how, { count: known.count + 1, lastWords: words });
    this.total++;
  };

  /** All deaths in one line; undefined when no worker died. */
  get line(): string | undefined {
    if (this.total === 0) return undefined;
    const many = this.total > 1;
    const ways = [...this.deaths].map(([how, { count, lastWords }]) => {
      const times = this.deaths.size > 1 ? ` (${count})` : '';
      return `${withLastWords(how, lastWords)}${times}`;
    });
    const who = many ? `${this.total} worker processes` : '1 worker process';
    return `${who} died and ${many ? 'were' : 'was'} replaced: ${ways.join('; ')}`;
  }
}

/** `exit code 1: Could not allocate dynamic translator buffer`. */
export function withLastWords(how: string, lastWords: string): string {
  return lastWords === '' ? how : `${how}: ${lastWords}`;
}
