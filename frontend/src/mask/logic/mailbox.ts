// The decoder answers one question at a time and a pointer asks sixty a second. Clicks wait their turn; of the guesses (what a
// click here would take) only the newest waits, and an answer to a guess that was overtaken is dropped.

/** One conversation with a worker; ``send`` posts the question, ``answered`` is called with what comes back. */
export class Mailbox<Question, Answer> {
  private number = 0;
  private readonly clicks: Waiting<Question, Answer>[] = [];
  private guess: Waiting<Question, Answer> | null = null;
  private asked: Waiting<Question, Answer> | null = null;

  constructor(private readonly send: (number: number, question: Question) => void) {}

  /** Answered in any case, in order. */
  click(question: Question): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.dropGuess();
      this.clicks.push({ question, number: this.next(), guess: false, stale: false, resolve: resolve as (answer: Answer | null) => void, reject });
      this.go();
    });
  }

  /** ``null`` when something newer was asked before the answer came. */
  maybe(question: Question): Promise<Answer | null> {
    return new Promise((resolve, reject) => {
      this.dropGuess();
      this.guess = { question, number: this.next(), guess: true, stale: false, resolve, reject };
      this.go();
    });
  }

  /** As ``maybe``, but what is under way is answered too: while a slider moves, something is always seen. */
  latest(question: Question): Promise<Answer | null> {
    return new Promise((resolve, reject) => {
      this.guess?.resolve(null);
      this.guess = { question, number: this.next(), guess: false, stale: false, resolve, reject };
      this.go();
    });
  }

  /** What came back from the worker; answers to questions that nobody waits for any more are ignored. */
  answered(number: number, answer: Answer): void {
    if (this.asked?.number !== number) return;
    const { resolve, stale } = this.asked;
    this.asked = null;
    resolve(stale ? null : answer);
    this.go();
  }

  failed(number: number, error: Error): void {
    if (this.asked?.number !== number) return;
    const { reject } = this.asked;
    this.asked = null;
    reject(error);
    this.go();
  }

  /** Everybody who waits hears why, for example because the worker is gone. */
  close(error: Error): void {
    const waiting = [this.asked, ...this.clicks, this.guess];
    this.asked = this.guess = null;
    this.clicks.length = 0;
    for (const one of waiting) one?.reject(error);
  }

  /** Nobody wants to know any more (the pointer left). */
  dropGuess(): void {
    this.guess?.resolve(null);
    this.guess = null;
    if (this.asked?.guess) this.asked.stale = true;
  }

  private next(): number {
    this.number += 1;
    return this.number;
  }

  private go(): void {
    if (this.asked) return;
    const following = this.clicks.shift() ?? this.guess;
    if (!following) return;
    if (following === this.guess) this.guess = null;
    this.asked = following;
    this.send(following.number, following.question);
  }
}

interface Waiting<Question, Answer> {
  question: Question;
  number: number;
  guess: boolean;
  stale: boolean;
  resolve: (answer: Answer | null) => void;
  reject: (error: Error) => void;
}
