/** The text after the options in the help of the sync program: actions, environment, exit codes. */
export const HELP = `
Actions:
  sync       load all records beside the live data, then apply the difference; the old records are kept for a rollback
             (SOURCE=gitlab: update every item to its latest revision, in place)
  delta      write the records that changed since the last watermark
  delete     remove records that the source no longer has, once its listing is proven complete
  remove     remove records that wait for an answer and that an approval names (--approval), unless the source has them again
  rollback   restore the data from before the last sync, or from before another job (--before)
  take-over  make this installation, target and environment the owner of the sink
  forget-record  erase the earlier values of records (--id) from the history; live records stay
  story      tell the api what the history knows of one record (--id); reads only
  plan       do all of a sync, delta or delete (--of) up to the change, and keep what it would do
  apply      do exactly what a plan says (--plan, --digest), unless something has changed since

Without a job:
  check [--json]  with the options of a sync: test source and sink, show five records, say what a sync would do; writes nothing
  connector       with SOURCE=connector: its config's form, whether its check succeeds, and its streams, as JSON

Environment:
  SOURCE=ndjson  SOURCE_URL or SOURCE_FILE    the source of the records
  SOURCE=connector  CONNECTOR  CONNECTOR_CONFIG  CONNECTOR_STREAM   a stream of an Airbyte connector or Singer tap
  SOURCE=gitlab  GITLAB_URL  GITLAB_TOKEN  GITLAB_GROUP   the items of a group, one project each; needs SINK=postgres
    GITLAB_ITEM_FILE (item.json)  GITLAB_IGNORE (project ids)  GITLAB_TIMEOUT (30 seconds)
    GITLAB_WEBHOOK_URL and GITLAB_HOOK_SECRET  webhook that each project calls on a push
  SINK=postgres  SINK_URL  SINK_TABLE ([schema.]table)   the table that records are written to
    SINK_STATE_SCHEMA (syncrator)  KEEP_CHANGES (30d)  KEEP_CHANGES_SIZE   schema and retention of the rollback data
    SINK_COLUMNS (name text, ...)  SINK_RECORD (true)  SINK_DROP_COLUMNS   columns that hold fields; those that may go
  SINK=solr  SOLR_URL  [SOLR_APP]             the alias <app>, loaded through <app>-standby
    KEEP_CHANGES (30d)                        retention of copies of removed records, also with SINK=opensearch
  SOURCE=rest    ACCOUNT_API_URL  API_TOKEN (or API_USER  API_PASSWORD)
                                              one account's records, into SINK=postgres  SINK_URL  SINK_SCHEMA
  SYNCRATOR_SETTINGS_FILE                     a file of KEY=value lines; it overrides the environment
  SYNCRATOR_MAX_DELETE_PERCENT (10)  SYNCRATOR_MAX_DELETE_RECORDS (5)  SYNCRATOR_MAX_UPDATE_PERCENT (no limit)
                                              limits of removals (lifted by --force-delete) and of updates; with
                                              SINK=postgres, removals above them wait for an answer
  FIELDS                                      changes of the records' fields: rename a=b, drop a, set a=value, hash a
    FIELDS_HASH_KEY or FIELDS_HASH_KEY_FILE   the secret of the hashes
  BASELINE (watch)                            off, watch or hold: unusual counts warn; hold lets removals wait, stops a jump
  MAX_REJECTED (0)                            bad records that are set aside before the run fails
  WATERMARK_MARGIN (1h)                       a delta reads from this long before the last read, to catch late writes
  SOURCE_FILE_COMPLETE=true                   the writer of SOURCE_FILE renames it into place once it is complete
  SYNCRATOR_REPORT_URL  SYNCRATOR_REPORT_TOKEN  receiver of progress reports; without them nothing is reported
  TRACEPARENT                                 W3C trace context; its trace id ends every log line
  SYNCRATOR_CHECKPOINT                        the last checkpoint of an earlier attempt, to resume from

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 delete guard, 4 not configured, 5 report refused,
  6 fenced by a newer job, 7 nothing to roll back, 8 source unreachable, 9 source silent,
  10 source refuses our credentials, 11 some items failed, 12 listing not proven complete,
  13 sink unreachable, 14 sink read-only, 15 sink permission, 16 sink busy, 17 sink owned by another,
  18 sink replaced, 19 sink alters what is written, 20 too many bad records, 21 update guard,
  22 the rollback's preview no longer holds, 23 unusual jump, 24 the plan no longer holds, 143 terminated

Example:
  SOURCE=ndjson SOURCE_URL=http://127.0.0.1:8080/records SINK=postgres \\
  SINK_URL=postgres://localhost/demo SINK_TABLE=cities node src/job/main.ts sync -n 1000`;
