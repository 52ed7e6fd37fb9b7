/**
 * Asks until the answer is neither undefined nor false and nothing is thrown; gives it back.
 * @throws after the deadline, with the last error as its cause, so that a failed expectation inside is shown.
 */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  { deadlineMs = 15_000, everyMs = 25 }: { deadlineMs?: number; everyMs?: number } = {},
): Promise<Exclude<T, undefined | false>> {
  const end = Date.now() + deadlineMs;
  let cause: unknown;
  for (;;) {
    try {
      cause = undefined;
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > end) {
      const reason = cause instanceof Error ? `: ${cause.message}` : '';
      throw new Error(`Not within ${deadlineMs} ms: ${what}${reason}`, { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
