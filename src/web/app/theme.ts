/** Theme of the page; its colours have enough contrast in light and in dark mode. */
import {
  Alert,
  Badge,
  createTheme,
  type CSSVariablesResolver,
  defaultVariantColorsResolver,
  Modal,
  type VariantColorsResolver,
} from '@mantine/core';

/** Adds the variant `status`: dark text on a pale background in light mode, pale text on dark in dark mode. */
const variantColorResolver: VariantColorsResolver = (input) => {
  if (input.variant !== 'status') return defaultVariantColorsResolver(input);
  const color = input.color ?? 'gray';
  return {
    background: `light-dark(var(--mantine-color-${color}-1), color-mix(in srgb, var(--mantine-color-${color}-9), black 45%))`,
    color: `light-dark(color-mix(in srgb, var(--mantine-color-${color}-9), black 45%), color-mix(in srgb, var(--mantine-color-${color}-1), white 60%))`,
    hover: `var(--mantine-color-${color}-2)`,
    border: '1px solid transparent',
  };
};

export const theme = createTheme({
  primaryColor: 'blue',
  primaryShade: { light: 8, dark: 8 },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace',
  cursorType: 'pointer',
  respectReducedMotion: true,
  variantColorResolver,
  components: {
    Alert: Alert.extend({ defaultProps: { variant: 'status' } }),
    Badge: Badge.extend({ styles: { label: { overflow: 'visible' } } }),
    // Without it, assistive technology takes a dialog's <header> for the page's banner.
    Modal: Modal.extend({ defaultProps: { attributes: { header: { role: 'presentation' } } } }),
  },
});

/** Mantine's dimmed and placeholder colours have too little contrast. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: { '--mantine-color-dimmed': '#4a5158', '--mantine-color-placeholder': '#5c636a' },
  dark: { '--mantine-color-dimmed': '#b4bac2', '--mantine-color-placeholder': '#a0a6ad' },
});
