/** Every code that a diagnosis can have, for docs/reference/diagnoses.md. Codes are stable; summaries may improve. */

/** In the order of the page, grouped by the headings of its tables. */
export const DIAGNOSIS_DESCRIPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'The program ended with an exit code': {
    usage: 'It rejected its arguments. Nothing was touched.',
    not_configured: 'Settings of source or sink are missing or unusable. Nothing was touched.',
    delete_guard: 'Too many records would have been deleted. Nothing was changed.',
    update_guard: 'More updates than `MAX_UPDATE_PERCENT`. Nothing was changed.',
    unusual_jump:
      'With `BASELINE=hold`: far more records would have been added or updated than usual. Nothing was changed.',
    records_rejected: 'More bad records than `MAX_REJECTED`. Nothing was changed.',
    incomplete_listing:
      'The listing of the source is not proven complete ([evidence](../data.md#evidence-when-a-listing-counts-as-complete)). Nothing was changed.',
    nothing_to_roll_back: 'The changes that it would undo are no longer kept.',
    preview_changed: 'The data have changed since the preview. The rollback did nothing.',
    plan_stale:
      'The plan was applied, replaced or expired, or the data have changed since it was made. Nothing was changed.',
    items_failed: 'The items in `failed_items` failed; all others are done.',
    refused: 'The api rejected its report: this attempt must not run.',
    fenced: 'A newer job writes to the sink.',
    source_unreachable:
      "The source's name is unknown, or nothing listens there. `detail` ends with the fault, such as `[nxdomain]`.",
    source_timeout: 'The source did not answer in time.',
    source_unauthorized: 'The source rejected our credentials.',
    sink_unreachable: 'The sink stayed unreachable for longer than the program waits.',
    sink_read_only: 'The sink took no writes for longer than the program waits.',
    sink_busy: 'Another session, which `detail` names, locked the sink for longer than the program waits.',
    sink_permission: 'The role lacks a right; `detail` has the `GRANT` that it needs.',
    sink_owned: 'The table belongs to another installation, target or environment.',
    sink_replaced: 'The table is not the one that the last job wrote.',
    sink_alters: 'A trigger or rule changes what is written.',
    exit_code: 'Any other code; also every code of your own program, if it never reported.',
  },
  'The program was ended': {
    oom: 'It needed more memory than its limit, also if it ended with 0.',
    storage_limit: 'It needed more disk space than its limit.',
    killed: 'Something other than Syncrator sent SIGKILL.',
    deadline: '`TIMEOUT` was reached.',
    start_timeout: '`START_TIMEOUT` was reached.',
    disrupted:
      'The cluster or a person ended it: eviction, preemption, node shutdown, a deleted pod. `RETRIES` repeats this failure only.',
  },
  'The program never started, or something beside it failed': {
    not_started: 'The supervisor could not start it.',
    start_error: 'The container could not start.',
    init_failed: 'An init container failed.',
    sidecar_failed: 'A container beside it failed the pod.',
    sidecar_lingers: 'It ended, but a container beside it kept the pod running.',
  },
  'The cluster does not accept the pod or the Job': {
    image_pull: 'The image cannot be pulled.',
    invalid_image: 'The name of the image is not valid.',
    image_user: 'The image runs as root, or its user is not a number.',
    admission_denied: 'An admission rule denies the pod.',
    service_account_missing: 'The service account does not exist.',
    manifest_rejected: 'The apiserver rejects the manifest.',
    forbidden: "The worker's account lacks a right.",
    namespace_missing: 'The namespace does not exist.',
    name_conflict: 'A Job that is not ours has the name. It was left alone.',
  },
  'No evidence of how it ended': {
    job_disappeared: 'The Kubernetes Job or the run folder is gone.',
    job_failed: 'The Kubernetes Job failed without a reason.',
    unknown: 'No diagnosis was stored with the step.',
  },
  Others: {
    external: 'Its executor reported a failure; `detail` has its words.',
    workflow_terminated: "Its workflow was terminated in Temporal's Web UI or CLI.",
    internal_error: 'A fault of Syncrator itself.',
  },
};
