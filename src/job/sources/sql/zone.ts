/**
 * Bounds how early a time without a zone may be. The program reads it as UTC, but writers may mean a zone that is up to
 * 12 hours behind; a watermark by the clock alone would then be later than the times of rows that are still to come.
 */
const HOUR_MS = 3_600_000;

export const WITHOUT_ZONE_MS = 12 * HOUR_MS;
/** A date is the first moment of its day. */
export const WITHOUT_TIME_OF_DAY_MS = WITHOUT_ZONE_MS + 24 * HOUR_MS;
