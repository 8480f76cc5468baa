/** Light or dark, by the system's wish until somebody chooses. */
import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';

export function ColorScheme() {
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme('light') === 'dark';
  return (
    <ActionIcon
      variant="default"
      onClick={() => setColorScheme(isDark ? 'light' : 'dark')}
      aria-label={isDark ? 'Light colours' : 'Dark colours'}
    >
      <span aria-hidden="true">{isDark ? '☀' : '☾'}</span>
    </ActionIcon>
  );
}
