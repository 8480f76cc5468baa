/** An address that is none. */
import { Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { PageHead } from '../parts/page-head.tsx';

export function NotFound() {
  return (
    <>
      <PageHead title="There is no such view" />
      <Text>
        <Link to="/">To the overview</Link>
      </Text>
    </>
  );
}
