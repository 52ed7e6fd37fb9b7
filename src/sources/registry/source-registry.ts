import { Injectable } from '@nestjs/common';
import { ServerConfig } from '../../config/app.config';
import type { PresetContext } from '../../presets/preset';
import { SecretBox } from '../../secrets/secret-box';
import { RegistryVersion } from '../../storage/registry-version';
import { SharedRead } from '../../storage/shared-read';
import { Storage } from '../../storage/storage';
import { LiveSource } from './live-source';
import { fromRow } from './source-record';
import { type SourceRows, readSources } from './source-rows';
import { hashOf, isToken } from './url-token';

/**
 * The sources of this process, by their tokens. Kept up to date by what changes, and as they are while the storage is away; for a
 * token that is not known it looks in the database, since the source may have been made a moment ago.
 */
@Injectable()
export class SourceRegistry {
  private readonly byId = new Map<string, LiveSource>();
  private readonly byHash = new Map<string, LiveSource>();
  private readonly context: PresetContext;
  /** The version that is shown; undefined before the first read. */
  private version: number | undefined;
  private readonly reads = new SharedRead(() => this.read());

  constructor(
    private readonly storage: Storage,
    private readonly box: SecretBox,
    server: ServerConfig,
    changes: RegistryVersion,
  ) {
    this.context = { publicUrl: server.publicUrl };
    changes.onChange(() => this.reads.fresh());
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
    return this.look(hash);
  }

  /** One that is known already, enabled or not. */
  peek(token: string): LiveSource | undefined {
    return isToken(token) ? this.byHash.get(hashOf(token)) : undefined;
  }

  /** All that are known. */
  all(): LiveSource[] {
    return [...this.byId.values()];
  }

  private async look(hash: string): Promise<LiveSource | undefined> {
    await this.reads.freshForStrangers();
    const found = this.byHash.get(hash);
    return found?.isOpenTo(hash, Date.now()) ? found : undefined;
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
