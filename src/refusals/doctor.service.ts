import { Injectable } from '@nestjs/common';
import type { Selectable } from 'kysely';
import { GatewayError, isOutage } from '../core/errors';
import { DoorRegistry } from '../http/door';
import type { ReceivedRequest } from '../http/received-request';
import { originalContext } from '../secrets/sealed-columns';
import { SecretBox } from '../secrets/secret-box';
import type { RequestsTable } from '../storage/schema';
import { findingOfCode, findingOfState, isAboutSender } from './diagnosis/by-code';
import { type Diagnosis, diagnose } from './diagnosis/diagnose';
import type { Original } from './refusal';
import { RefusalsRepository } from './refusals.repository';

type Row = Selectable<RequestsTable>;

/** Of this process: each may hash half a gigabyte. */
const MAX_AT_ONCE = 2;
const MAX_A_MINUTE = 60;
const MINUTE_MS = 60_000;

/** Finds out why requests were refused, and takes them in once that is mended. */
@Injectable()
export class Doctor {
  private underWay = 0;
  private minute = { since: 0, count: 0 };

  constructor(
    private readonly refusals: RefusalsRepository,
    private readonly doors: DoorRegistry,
    private readonly box: SecretBox,
  ) {}

  /** @throws GatewayError `rate_limited`. */
  async diagnose(row: Row): Promise<Diagnosis> {
    this.admit();
    this.underWay++;
    try {
      return await this.examine(row);
    } finally {
      this.underWay--;
    }
  }

  /**
   * Takes a refused request in through its door, as it stands or as the named cause says that it was before.
   * @throws GatewayError `conflict` when it was accepted before; `request_incomplete`, `cause_not_proven`, `still_refused`; of an
   * outage its own code.
   */
  async accept(row: Row, cause: string | undefined): Promise<void> {
    if (row.outcome === 'accepted') throw new GatewayError('conflict', 'The request was accepted before');
    const receive = this.doors.receiver(row.door);
    if (receive === undefined)
      throw new GatewayError('still_refused', 'What comes in at this door counts at its moment alone: let the sender send it again');
    const request = this.requestOf(row);
    if (request === undefined) throw new GatewayError('request_incomplete');
    const repair = cause === undefined ? {} : await this.repairOf(row, cause);
    if (!this.doors.isEnabled(row.door)) throw new GatewayError('still_refused', 'The door is switched off');
    if (!(await this.refusals.claim(row.id, Date.now()))) throw new GatewayError('conflict', 'The request is being accepted, or was');
    try {
      await receive({ ...request, ...repair });
    } catch (error) {
      await this.refusals.giveUp(row.id);
      if (!(error instanceof GatewayError) || isOutage(error)) throw error;
      throw new GatewayError('still_refused', `${error.code}: ${error.message}`);
    }
    await this.refusals.accepted(row.id, Date.now());
  }

  private async repairOf(row: Row, cause: string): Promise<Partial<ReceivedRequest>> {
    const { findings } = await this.diagnose(row);
    const proven = findings.find((finding) => finding.cause === cause && finding.certain && finding.repair !== undefined);
    if (proven?.repair === undefined) throw new GatewayError('cause_not_proven');
    return proven.repair;
  }

  private async examine(row: Row): Promise<Diagnosis> {
    const isOfSource = row.source !== row.door;
    const byCode =
      (isAboutSender(row.code) || row.code === 'not_found'
        ? findingOfState(this.doors.stateOf(row.door, row.source), isOfSource)
        : undefined) ?? findingOfCode(row.code, row.detail, isOfSource);
    const told: Diagnosis = { findings: byCode === undefined ? [] : [byCode], tried: 0 };
    const isOff = byCode?.cause === 'switched_off' || byCode?.cause === 'unknown_token';
    const request = isAboutSender(row.code) && !isOff ? this.requestOf(row) : undefined;
    if (request === undefined) return told;
    const checks = await this.doors.checks();
    const check = checks.find(({ source }) => source === row.source);
    if (check === undefined) return told;
    const tried = await diagnose({ request, check, others: checks.filter((other) => other !== check) });
    if (tried.findings.some(({ certain }) => certain)) return tried;
    return { findings: [...told.findings, ...tried.findings], tried: tried.tried };
  }

  /** As it came; undefined where not all of it was kept. */
  private requestOf(row: Row): ReceivedRequest | undefined {
    if (row.original === null || row.body_whole === 0) return undefined;
    const original = JSON.parse(this.box.open(row.original, originalContext(row.id))) as Original;
    return {
      ...original,
      requestId: row.request_id,
      receivedAt: row.at,
      method: row.method,
      body: Buffer.from(row.body ?? []),
      address: row.address,
    };
  }

  private admit(): void {
    const now = Date.now();
    if (now - this.minute.since >= MINUTE_MS) this.minute = { since: now, count: 0 };
    if (this.underWay >= MAX_AT_ONCE || this.minute.count >= MAX_A_MINUTE) {
      const retryAfterSeconds = this.underWay >= MAX_AT_ONCE ? 1 : Math.ceil((this.minute.since + MINUTE_MS - now) / 1_000);
      throw new GatewayError('rate_limited', 'Too many diagnoses at once', { retryAfterSeconds });
    }
    this.minute.count++;
  }
}
