// SPDX-License-Identifier: Apache-2.0
/**
 * Entry of the console: theme, data client, routes.
 * Input: the page's root. Output: the sign-in, then the frame with its pages.
 */
import './trusted.ts';
// Only the parts that are used, in Mantine's own order.
import '@mantine/core/styles/default-css-variables.css';
import '@mantine/core/styles/baseline.css';
import '@mantine/core/styles/global.css';
import '@mantine/core/styles/UnstyledButton.css';
import '@mantine/core/styles/Loader.css';
import '@mantine/core/styles/Paper.css';
import '@mantine/core/styles/ActionIcon.css';
import '@mantine/core/styles/Button.css';
import '@mantine/core/styles/Input.css';
import '@mantine/core/styles/InlineInput.css';
import '@mantine/core/styles/PasswordInput.css';
import '@mantine/core/styles/Popover.css';
import '@mantine/core/styles/Menu.css';
import '@fontsource-variable/inter/index.css';
import '@fontsource-variable/vollkorn/index.css';
import '@fontsource-variable/jetbrains-mono/index.css';
import './look.css';
import { MantineProvider } from '@mantine/core';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { isProblem } from './api/client.ts';
import { App } from './app.tsx';
import { cssVariables, theme } from './theme.ts';

const client: QueryClient = new QueryClient({
  // A session that ended elsewhere: whoever asks next is told, and the sign-in stands in place of the page.
  queryCache: new QueryCache({
    onError: (error, { queryKey }) => {
      if (isProblem(error) && error.status === 401 && queryKey[0] !== 'me') void client.invalidateQueries({ queryKey: ['me'] });
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      refetchOnWindowFocus: true,
      retry: (count, error) => count < 2 && !(isProblem(error) && error.status < 500),
    },
  },
});

const root = document.getElementById('root');
if (root)
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
        <QueryClientProvider client={client}>
          <BrowserRouter>
            <App />
          </BrowserRouter>
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
