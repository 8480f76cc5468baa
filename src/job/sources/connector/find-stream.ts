/** Finds the stream that the settings name among those of a connector. Pure. */
import { didYouMean } from '../../../domain/closest-match.ts';
import { JobError } from '../../job-error.ts';
import { fullName, type Stream } from './dialect.ts';

const MOST_NAMED = 40;

/** @param name `name` or `namespace.name` @throws JobError `notConfigured` */
export function findStream(streams: readonly Stream[], name: string): Stream {
  const found = streams.filter((stream) => fullName(stream) === name);
  const alike = found.length > 0 ? found : streams.filter((stream) => stream.name === name);
  const [stream, ...more] = alike;
  if (stream !== undefined && more.length === 0) return stream;
  const names = streams.map(fullName);
  if (stream !== undefined)
    throw new JobError(
      'notConfigured',
      `CONNECTOR_STREAM=${name} names several streams; name one of ${alike.map(fullName).join(', ')}`,
    );
  const listed = `${names.slice(0, MOST_NAMED).join(', ')}${names.length > MOST_NAMED ? ', …' : ''}`;
  throw new JobError(
    'notConfigured',
    `CONNECTOR_STREAM=${name}: the connector has no such stream${didYouMean(name, names)}; it has ${listed || 'none'}`,
  );
}

/** The paths of the fields that make the id. @throws JobError `notConfigured` */
export function keyOf(stream: Stream, id: readonly string[] | null): readonly (readonly string[])[] {
  if (id !== null) return id.map((name) => [name]);
  if (stream.key !== null) return stream.key;
  throw new JobError(
    'notConfigured',
    `the stream ${fullName(stream)} has no primary key of its own; name the fields that identify a record in SOURCE_ID`,
  );
}
