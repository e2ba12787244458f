// SPDX-License-Identifier: Apache-2.0
/**
 * A page that fails to draw says so and leaves the frame standing.
 * Input: the page. Output: the page, or what failed and two ways on.
 */
import { Component, type ReactNode } from 'react';
import { StateMark } from './marks.tsx';

interface Props {
  readonly children: ReactNode;
}

interface State {
  readonly failed: Error | null;
}

// React has no hook for this: the one class of the console.
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { failed: null };

  static getDerivedStateFromError(failed: Error): State {
    return { failed };
  }

  override render(): ReactNode {
    const { failed } = this.state;
    if (failed === null) return this.props.children;
    return (
      <div className="problem" role="alert">
        <StateMark state="bad" label="Problem" />
        <div>
          <p>
            This page could not be drawn. What it shows is untouched; the fault lies in the console.{' '}
            <span className="mono third">{failed.message}</span>
          </p>
          <p className="acts">
            <button type="button" className="ctl" onClick={() => this.setState({ failed: null })}>
              Draw it again
            </button>
            <a className="ctl" href="/">
              To the overview
            </a>
          </p>
        </div>
      </div>
    );
  }
}
