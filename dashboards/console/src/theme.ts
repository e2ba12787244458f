// SPDX-License-Identifier: Apache-2.0
/**
 * The theme of Mantine, made from the tokens of look.css, so that both use one switch of light and dark.
 * Input: the tokens. Output: theme and CSS variables for MantineProvider.
 */
import { Button, type CSSVariablesResolver, createTheme, type MantineColorsTuple, PasswordInput, TextInput } from '@mantine/core';

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
    // Mantine draws borders, hovers and disabled parts from these two: paper and night, not its blue greys.
    gray: ['#fbfaf7', '#f3f1eb', '#f0ede5', '#e6e2d8', '#cdc8bb', '#8a867c', '#67645d', '#504e49', '#33322e', '#1c1b19'],
    dark: ['#edebe5', '#b9b6ad', '#9a978f', '#67645d', '#3d4045', '#212327', '#1a1b1e', '#131416', '#0d0e10', '#08090a'],
  },
  components: {
    Button: Button.extend({ defaultProps: { size: 'xs', variant: 'default' } }),
    TextInput: TextInput.extend({ defaultProps: { size: 'sm' } }),
    PasswordInput: PasswordInput.extend({ defaultProps: { size: 'sm' } }),
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
