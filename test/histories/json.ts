/**
 * Histories to JSON and back, in the form that Temporal's own tools download. The SDK's historyToJSON and
 * historyFromJSON fail wherever npm gives its packages a protobufjs each, so this takes the one beside the messages.
 */
import { createRequire } from 'node:module';
import type { WorkflowHandle } from '@temporalio/client';

export type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

type Reflection = { lookupType(name: string): unknown };
type Protojson = {
  toJson(type: unknown, message: unknown): unknown;
  fromJson(type: unknown, json: unknown, options: { ignoreUnknownFields: boolean }): unknown;
};

const common = createRequire(createRequire(import.meta.url).resolve('@temporalio/common'));
const messages = createRequire(common.resolve('@temporalio/proto'));
const root = messages('@temporalio/proto') as Reflection & {
  temporal: { api: { history: { v1: { History: { fromObject(history: History): unknown } } } } };
};
const { toJson, fromJson } = messages('protobufjs/ext/protojson') as Protojson;
const HISTORY = root.lookupType('temporal.api.history.v1.History');

export function historyToJson(history: History): unknown {
  return toJson(HISTORY, root.temporal.api.history.v1.History.fromObject(history));
}

export function historyFromJson(json: unknown): History {
  return fromJson(HISTORY, json, { ignoreUnknownFields: true }) as History;
}
