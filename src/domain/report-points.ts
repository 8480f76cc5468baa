/** How many points of a job's progress a chart has room for; of ended jobs no more are kept of an attempt, but a few. */
export const REPORT_POINTS = 500;
