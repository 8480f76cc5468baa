/** Whether the screen is as narrow as a telephone's: the library's own width `sm`, at which the menu folds too. */
import { useMediaQuery } from '@mantine/hooks';

export function useIsNarrow(): boolean {
  return useMediaQuery('(max-width: 48em)');
}
