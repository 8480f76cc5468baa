/** Shown for an unknown address. */
import { Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { PageHead } from '../parts/page-head.tsx';

export function NotFound() {
  return (
    <>
      <PageHead title="Page not found" />
      <Text>
        <Link to="/">Go to the overview</Link>
      </Text>
    </>
  );
}
