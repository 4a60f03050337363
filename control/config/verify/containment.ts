// Named things that contain others by name: object groups, class-maps, policy-maps.

/** @param namesIn what a name contains; empty when there is no such thing @returns whether a way leads from it back to it */
export function containsItself(name: string, namesIn: (name: string) => readonly string[]): boolean {
  const seen = new Set<string>();
  const visit = (at: string): boolean =>
    namesIn(at).some((part) => {
      if (part === name) return true;
      if (seen.has(part)) return false;
      seen.add(part);
      return visit(part);
    });
  return visit(name);
}
