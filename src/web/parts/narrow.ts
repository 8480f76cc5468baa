/** True on screens as narrow as a phone's: Mantine's breakpoint `sm`, at which the menu folds too. */
import { useMediaQuery } from '@mantine/hooks';

export function useIsNarrow(): boolean {
  return useMediaQuery('(max-width: 48em)');
}
