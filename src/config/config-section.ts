/** A class whose validated, frozen instance is one section of the settings. */
export type SectionClass<T extends object = object> = new () => T;

const sections = new Map<string, SectionClass>();

/**
 * Binds a class to the section of the settings at `path` (such as `hookServer.facebook`). Its fields carry class-validator
 * rules; config/default.yaml holds their defaults. The section is part of the settings as soon as its file is imported, so a
 * module that is deleted takes its section along.
 */
export const ConfigSection =
  (path: string) =>
  (target: SectionClass): void => {
    sections.set(path, target);
  };

export const configSections = (): ReadonlyMap<string, SectionClass> => sections;
