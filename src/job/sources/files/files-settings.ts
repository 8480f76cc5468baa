/** Reads the settings of source `files`. */
import { readFlag, readSecret } from '../../setting-values.ts';
import type { Settings } from '../../settings-file.ts';
import { readIdColumns } from '../columns.ts';
import { FORMATS, type FileFormat } from './format.ts';
import { isPattern } from './pattern.ts';

export type FilesSettings = {
  readonly kind: 'files';
  readonly where: DiskAddress | HttpAddress | S3Address;
  /** null: the name of each file tells. */
  readonly format: FileFormat | null;
  /** Columns that together make the id. */
  readonly id: readonly string[];
  /** null: rows do not tell when they changed. */
  readonly updatedAt: string | null;
  /** SOURCE_FILE_COMPLETE=true: files are put in place whole, and none is missing. */
  readonly complete: boolean;
};

/** `path` may be a pattern. */
export type DiskAddress = { readonly at: 'disk'; readonly path: string };
export type HttpAddress = { readonly at: 'http'; readonly url: string };

export type S3Address = {
  readonly at: 's3';
  readonly endpoint: URL;
  readonly region: string;
  readonly bucket: string;
  /** May be a pattern. */
  readonly key: string;
  /** null: requests are not signed, as public buckets allow. */
  readonly access: { readonly id: string; readonly secret: string } | null;
};

/** @throws JobError `notConfigured` */
export function readFilesSettings(settings: Settings): FilesSettings {
  const format =
    settings.optional('SOURCE_FORMAT') === undefined ? null : settings.oneOf('SOURCE_FORMAT', FORMATS);
  return {
    kind: 'files',
    where: readAddress(settings),
    format,
    id: readIdColumns(settings),
    updatedAt: settings.optional('SOURCE_UPDATED_AT') ?? null,
    complete: readFlag(settings, 'SOURCE_FILE_COMPLETE'),
  };
}

function readAddress(settings: Settings): FilesSettings['where'] {
  const { required, url, fault } = settings;
  const path = required('SOURCE_PATH');
  if (/^https?:/i.test(path)) return { at: 'http', url: url('SOURCE_PATH', ['http:', 'https:']) };
  if (/^s3:/i.test(path)) return readS3Address(settings, path);
  if (!path.startsWith('/'))
    throw fault('SOURCE_PATH is neither an absolute path nor begins with http://, https:// or s3://');
  if (isPattern(path) && /\{[^}]*\//.test(path))
    throw fault('SOURCE_PATH has a / within { }; name one folder');
  return { at: 'disk', path };
}

function readS3Address(settings: Settings, path: string): S3Address {
  const { optional, url, fault } = settings;
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\/(.+)$/is.exec(path) ?? [];
  if (bucket === undefined || key === undefined)
    throw fault('SOURCE_PATH is not an address in S3: expected a form such as s3://bucket/folder/*.parquet');
  const region = optional('S3_REGION') ?? 'us-east-1';
  if (!/^[a-z0-9-]{1,40}$/.test(region))
    throw fault('S3_REGION is not the name of a region: expected a form such as eu-central-1');
  const endpoint =
    optional('S3_ENDPOINT') === undefined
      ? `https://s3.${region}.amazonaws.com`
      : url('S3_ENDPOINT', ['http:', 'https:']);
  const { origin, pathname, username, password, search } = new URL(endpoint);
  if (username || password || search || pathname !== '/')
    throw fault(
      'S3_ENDPOINT is more than scheme, host and port: expected a form such as https://minio.example.org:9000',
    );
  const [id, secret] = [optional('S3_ACCESS_KEY_ID'), readSecret(settings, 'S3_SECRET_ACCESS_KEY')];
  if ((id === undefined) !== (secret === undefined))
    throw fault(
      `${id === undefined ? 'S3_ACCESS_KEY_ID' : 'S3_SECRET_ACCESS_KEY'} is missing, and the other key is set`,
    );
  const access = id === undefined || secret === undefined ? null : { id, secret };
  return { at: 's3', endpoint: new URL(origin), region, bucket, key, access };
}
