/** An endpoint as lines of the log name it: people know its name, and two may have the same. */
export const endpointLabel = ({ id, name }: { id: string; name: string }): string => `${name} (${id})`;
