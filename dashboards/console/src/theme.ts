// SPDX-License-Identifier: Apache-2.0
/**
 * The theme of Mantine, made from the tokens of look.css, so that both use one switch of light and dark.
 * Input: the tokens. Output: theme and CSS variables for MantineProvider.
 */
import { Button, type CSSVariablesResolver, createTheme, type MantineColorsTuple, PasswordInput, TextInput, Tooltip } from '@mantine/core';

/** Ten shades with the light value at 7 and the dark one at 3. */
const shades = (light: string, dark: string): MantineColorsTuple => [dark, dark, dark, dark, light, light, light, light, light, light];

export const theme = createTheme({
  fontFamily: 'var(--sans)',
  fontFamilyMonospace: 'var(--mono)',
  headings: { fontFamily: 'var(--serif)', fontWeight: '600' },
  primaryColor: 'ink',
  primaryShade: { light: 7, dark: 3 },
  autoContrast: true,
  defaultRadius: 'sm',
  radius: { xs: '2px', sm: '4px', md: '6px', lg: '6px', xl: '6px' },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  fontSizes: { xs: '11px', sm: '12px', md: '13px', lg: '15px', xl: '20px' },
  colors: {
    ink: shades('#1c1b19', '#edebe5'),
    lapis: shades('#1f4e9e', '#8db4ff'),
    bad: shades('#a52c14', '#ff8a6e'),
    good: shades('#0b6a72', '#55bfc4'),
  },
  components: {
    Button: Button.extend({ defaultProps: { size: 'xs', variant: 'default' } }),
    TextInput: TextInput.extend({ defaultProps: { size: 'sm' } }),
    PasswordInput: PasswordInput.extend({ defaultProps: { size: 'sm' } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 400 } }),
  },
});

const tokens = {
  '--mantine-color-body': 'var(--canvas)',
  '--mantine-color-text': 'var(--ink)',
  '--mantine-color-dimmed': 'var(--ink3)',
  '--mantine-color-placeholder': 'var(--ink3)',
  '--mantine-color-default': 'var(--surface)',
  '--mantine-color-default-hover': 'var(--hover)',
  '--mantine-color-default-border': 'var(--line)',
  '--mantine-color-anchor': 'var(--accent)',
  '--mantine-color-error': 'var(--bad)',
};

export const cssVariables: CSSVariablesResolver = () => ({ variables: {}, light: tokens, dark: tokens });
