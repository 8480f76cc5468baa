/** Names for the requests and answers of the api; their shapes are generated from its OpenAPI document. */
import type { components } from './api-types.ts';

type Schemas = components['schemas'];

export type AuditEntryJson = Schemas['AuditEntry'];
export type BatchAnswerJson = Schemas['BatchAnswer'];
export type DryRunJson = Schemas['DryRun'];
export type ExecutorsWord = Schemas['ExecutorsWord'];
export type ImportableDatasetJson = Schemas['ImportableDataset'];
export type JobJson = Schemas['Job'];
export type KeepBody = Schemas['Keep'];
export type LossJson = Schemas['Loss'];
export type LossRecordJson = Schemas['LossRecord'];
export type MaintenanceJson = Schemas['Maintenance'];
export type MaintenanceEntryJson = Schemas['MaintenanceEntry'];
export type MeJson = Schemas['Me'];
export type PlanJson = Schemas['Plan'];
export type PlanRecordJson = Schemas['PlanRecord'];
export type RenderedStepJson = Schemas['RenderedStep'];
export type NextStartJson = Schemas['NextStart'];
export type ParamsJson = Schemas['Params'];
export type ReloadedJson = Schemas['Reloaded'];
/** A start that is remembered until its target is free: there is no job yet. */
export type QueuedStartJson = Schemas['QueuedStart'];
export type ReportPointJson = Schemas['ReportPoint'];
export type ResumedJson = Schemas['Resumed'][number];
export type RunBody = Schemas['Run'];
export type SchedulesJson = Schemas['Schedules'];
export type StartedJson = Schemas['Started'];
export type StoryJson = Schemas['Story'];
export type StoryEntryJson = Schemas['StoryEntry'];
export type StoryValueJson = Schemas['StoryValue'];
export type TargetJson = Schemas['Target'];
export type TokenJson = Schemas['Token'];

/** One job of a batch: its action by name, its target, and the parameters of that action. */
export type BatchJob = { readonly operation: string; readonly target: string; readonly env?: string } & {
  readonly [parameter: string]: unknown;
};
