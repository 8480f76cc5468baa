/** Every code that a diagnosis can have, for docs/reference/diagnoses.md. Codes are stable; summaries may improve. */

/** In the order of the page, by the heading of their table. */
export const DIAGNOSIS_DESCRIPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'The program ended with an exit code': {
    usage: 'It refused its arguments. Nothing was touched.',
    not_configured: 'Settings of source or sink are missing or unusable. Nothing was touched.',
    delete_guard: 'Too many records would have disappeared. Nothing was changed.',
    update_guard: 'More updates than `MAX_UPDATE_PERCENT`. Nothing was changed.',
    records_rejected: 'More bad records than `MAX_REJECTED`. Nothing was changed.',
    incomplete_listing:
      'The listing of the source was not seen to be complete ([evidence](../data.md#evidence-when-a-listing-counts-as-complete)). Nothing was changed.',
    nothing_to_roll_back: 'The changes that would be undone are not kept.',
    preview_changed: 'The data have changed since the preview. The rollback did nothing.',
    items_failed: 'Items listed in `failed_items` failed; all others are done.',
    refused: 'The api rejected its report: this attempt must not run.',
    fenced: 'A newer run has taken the sink.',
    source_unreachable:
      "The source's name is unknown, or nothing listens. `detail` ends with the fault, such as `[nxdomain]`.",
    source_timeout: 'The source did not answer in time.',
    source_unauthorized: 'The source rejected our credentials.',
    sink_unreachable: 'The sink is away. It was waited for.',
    sink_read_only: 'The sink takes no writes. It was waited for.',
    sink_busy: 'Another session, which is named, holds what must be written. It was waited for.',
    sink_permission: 'A right is missing; `detail` has its `GRANT`.',
    sink_owned: 'The table belongs to another installation, target or environment.',
    sink_replaced: 'The table is another one than was written last.',
    sink_alters: 'A trigger or rule changes what is written.',
    exit_code: 'Any other code; always, of a program of yours that never reported.',
  },
  'The program was ended': {
    oom: 'It needed more memory than its limit, also if it ended with 0.',
    storage_limit: 'It needed more disk than its limit.',
    killed: 'SIGKILL by somebody else.',
    deadline: '`TIMEOUT` was reached.',
    start_timeout: '`START_TIMEOUT` was reached.',
    disrupted:
      'It was ended from outside: eviction, preemption, node shutdown, a deleted pod. The only one that `RETRIES` tries again.',
  },
  'The program never started, or something beside it failed': {
    not_started: 'The supervisor could not start it.',
    start_error: 'The container could not start.',
    init_failed: 'An init container failed.',
    sidecar_failed: 'A container beside it failed the pod.',
    sidecar_lingers: 'It ended, and a container beside it kept the pod running.',
  },
  'The cluster does not take the pod or the Job': {
    image_pull: 'The image cannot be pulled.',
    invalid_image: 'The name of the image is not valid.',
    image_user: 'The image runs as root, or its user is not a number.',
    admission_denied: 'An admission rule denies the pod.',
    service_account_missing: 'The service account does not exist.',
    manifest_rejected: 'The apiserver rejects the manifest.',
    forbidden: "The worker's account lacks a right.",
    namespace_missing: 'The namespace does not exist.',
    name_conflict: "A stranger's Job has the name. It was left alone.",
  },
  'Nothing says how it ended': {
    job_disappeared: 'The Kubernetes Job or the run folder is gone.',
    job_failed: 'The Kubernetes Job failed, and nothing says why.',
    unknown: 'No diagnosis was stored with the step.',
  },
  Others: {
    external: 'Its executor reported a failure; `detail` has its words.',
    workflow_terminated: "Its workflow was terminated in Temporal's Web UI or CLI.",
    internal_error: "A fault of Syncrator's own.",
  },
};
