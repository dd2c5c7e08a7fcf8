// What is chosen, whether it is drawn at the moment or not.

export class Picks {
  private readonly chosen = new Set<string>();
  /** Where a range with shift begins. */
  private anchor = "";

  constructor(private readonly changed: () => void) {}

  get size(): number {
    return this.chosen.size;
  }

  get ids(): ReadonlySet<string> {
    return this.chosen;
  }

  has(id: string): boolean {
    return this.chosen.has(id);
  }

  set(id: string, on: boolean): void {
    if (on) this.chosen.add(id);
    else this.chosen.delete(id);
    this.anchor = id;
    this.changed();
  }

  toggle(id: string): void {
    this.set(id, !this.chosen.has(id));
  }

  /** From the last one that was touched to this one, all as this one becomes; `between` gives the ids of a range. */
  rangeTo(id: string, on: boolean, between: (from: string, to: string) => readonly string[]): void {
    for (const one of this.anchor ? between(this.anchor, id) : [id]) {
      if (on) this.chosen.add(one);
      else this.chosen.delete(one);
    }
    this.anchor = id;
    this.changed();
  }

  clear(): void {
    this.chosen.clear();
    this.changed();
  }
}
