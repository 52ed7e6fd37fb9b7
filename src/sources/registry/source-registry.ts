import { Injectable } from '@nestjs/common';
import { ServerConfig } from '../../config/app.config';
import type { PresetContext } from '../../presets/preset';
import { SecretBox } from '../../secrets/secret-box';
import { RegistryVersion } from '../../storage/registry-version';
import { Storage } from '../../storage/storage';
import { LiveSource } from './live-source';
import { fromRow } from './source-record';
import { type SourceRows, readSources } from './source-rows';
import { hashOf, isToken } from './url-token';

/** Tokens that are known to be of no source; a few hundred KiB. */
const MAX_UNKNOWN = 10_000;

/**
 * The sources of this process, by their tokens. Kept up to date by what changes, and as they are while the storage is away; a token
 * that is not known is looked for in the database, once.
 */
@Injectable()
export class SourceRegistry {
  private readonly byId = new Map<string, LiveSource>();
  private readonly byHash = new Map<string, LiveSource>();
  /** No source gets such a token later: they are random. */
  private readonly unknown = new Set<string>();
  private readonly context: PresetContext;
  /** The version that is shown; undefined before the first read. */
  private version: number | undefined;
  private reading: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(
    private readonly storage: Storage,
    private readonly box: SecretBox,
    server: ServerConfig,
    changes: RegistryVersion,
  ) {
    this.context = { publicUrl: server.publicUrl };
    changes.onChange(() => this.refresh());
  }

  /**
   * The enabled source of a token; a promise only where the database is asked.
   * @returns undefined where there is none. @throws GatewayError `storage_unavailable` while that cannot be known.
   */
  find(token: string): LiveSource | undefined | Promise<LiveSource | undefined> {
    if (!isToken(token)) return undefined;
    const hash = hashOf(token);
    const known = this.byHash.get(hash);
    if (known !== undefined) return known.isOpenTo(hash, Date.now()) ? known : undefined;
    return this.unknown.has(hash) ? undefined : this.look(hash);
  }

  /** One that is known already, enabled or not. */
  peek(token: string): LiveSource | undefined {
    return isToken(token) ? this.byHash.get(hashOf(token)) : undefined;
  }

  /** All that are known. */
  all(): LiveSource[] {
    return [...this.byId.values()];
  }

  /** Resolves when every change is seen that was committed before the call. @throws GatewayError `storage_unavailable`. */
  refresh(): Promise<void> {
    if (!this.reading) return this.start();
    // The read under way may have begun before that commit. All who come meanwhile share the next one.
    this.next ??= this.reading
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        return this.start();
      });
    return this.next;
  }

  private start(): Promise<void> {
    this.reading = this.read().finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async look(hash: string): Promise<LiveSource | undefined> {
    await this.refresh();
    const found = this.byHash.get(hash);
    if (found !== undefined) return found.isOpenTo(hash, Date.now()) ? found : undefined;
    if (this.unknown.size >= MAX_UNKNOWN) this.unknown.clear();
    this.unknown.add(hash);
    return undefined;
  }

  private async read(): Promise<void> {
    const read = await this.storage.snapshot((db) => readSources(db, this.storage.engine, this.version));
    this.apply(read);
    this.version = read.version;
  }

  private apply({ rows, changedIds }: SourceRows): void {
    for (const id of changedIds ?? [...this.byId.keys()]) this.forget(id);
    for (const row of rows) {
      const source = new LiveSource(fromRow(row, this.box), this.context);
      this.byId.set(row.id, source);
      for (const hash of hashesOf(source)) this.byHash.set(hash, source);
    }
  }

  private forget(id: string): void {
    const source = this.byId.get(id);
    if (source === undefined) return;
    for (const hash of hashesOf(source)) this.byHash.delete(hash);
    this.byId.delete(id);
  }
}

const hashesOf = ({ record: { tokenHash, previousTokenHash } }: LiveSource): string[] =>
  previousTokenHash === null ? [tokenHash] : [tokenHash, previousTokenHash];
