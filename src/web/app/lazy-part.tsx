/** Loads a part of a view when first shown. If loading fails, the rest of the view still works. */
import { Button, Text } from '@mantine/core';
import { type ComponentType, lazy } from 'react';
import { preloadable } from './lazy-view.ts';

/** @param what names the part in the error message: `chart` */
export function lazyPart<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  what: string,
): ComponentType<Props> {
  const preloaded = preloadable(load);
  return lazy<ComponentType<Props>>(async () => {
    try {
      return { default: await preloaded() };
    } catch {
      return { default: () => <Missing what={what} /> };
    }
  });
}

function Missing({ what }: { what: string }) {
  return (
    <Text size="sm" component="div" role="alert">
      The {what} cannot be loaded: the server may have been upgraded.{' '}
      <Button size="compact-sm" variant="default" onClick={() => location.reload()}>
        Reload
      </Button>
    </Text>
  );
}
