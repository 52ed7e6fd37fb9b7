import { IsOptional, IsString, MaxLength } from 'class-validator';
import type { Selectable } from 'kysely';
import type { RequestsTable } from '../storage/schema';
import type { Diagnosis } from './diagnosis/diagnose';

export class CauseDto {
  /** As in docs/diagnosis.md. */
  cause!: string;
  /** Whether the request itself proves it. */
  certain!: boolean;
  explanation!: string;
  fix!: string;
  /** The setting that the fix changes. */
  setting?: string;
  /** Whether the request can be accepted under this cause as it is. */
  acceptable!: boolean;
}

export class RefusedWithDto {
  /** As in docs/errors.md. */
  code!: string;
  detail!: string;
}

export class DiagnosisDto {
  requestId!: string;
  source!: string;
  refusedWith!: RefusedWithDto;
  causes!: CauseDto[];
  /** Verifications that were tried. */
  tried!: number;
}

export class AcceptDto {
  /** A cause that the diagnosis calls acceptable; without it the request is taken in as it came. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  cause?: string;
}

export const diagnosisView = (row: Selectable<RequestsTable>, { findings, tried }: Diagnosis): DiagnosisDto => ({
  requestId: row.request_id,
  source: row.source,
  refusedWith: { code: row.code, detail: row.detail },
  causes: findings.map(({ repair, ...finding }) => ({ ...finding, acceptable: finding.certain && repair !== undefined })),
  tried,
});
