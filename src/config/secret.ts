const secrets = new Map<object, Set<string>>();

/** Marks a setting that must never be shown: problems name it with `***`, .env.example leaves it empty. */
export const Secret =
  (): PropertyDecorator =>
  (prototype, property): void => {
    const names = secrets.get(prototype) ?? new Set();
    secrets.set(prototype, names.add(String(property)));
  };

/** True when `property` is marked in the class of `instance` or in one that it extends. */
export function isSecret(instance: object, property: string): boolean {
  for (let link: unknown = Object.getPrototypeOf(instance); typeof link === 'object' && link !== null; link = Object.getPrototypeOf(link)) {
    if (secrets.get(link)?.has(property)) return true;
  }
  return false;
}
