import type { Form } from '../../presets/request/form';

/** The doors below /twilio, and the one at /twilio itself. */
export const ROUTES = ['message', 'status', 'voice', 'conversations', 'events'] as const;
export type Route = (typeof ROUTES)[number];

/** What a form tells of. */
export type FormKind = 'message' | 'status' | 'voice' | 'voice_status' | 'conversation';

/** What only a report on a call has, not the question what to do with it. */
const REPORT_PARAMETERS = ['CallbackSource', 'CallDuration', 'StatusCallbackEvent', 'RecordingStatus', 'TranscriptionSid', 'ConferenceSid'];

/** By what the form holds first, then by the door that it came through: one URL may serve for everything. */
export function kindOf(route: Route, form: Form): FormKind {
  if (form.get('EventType') !== undefined && (route === 'conversations' || form.get('ConversationSid') !== undefined))
    return 'conversation';
  // The beginning and the end of a conference are of no single call.
  if (form.get('CallSid') !== undefined || form.get('ConferenceSid') !== undefined) {
    const isReport = route === 'status' || REPORT_PARAMETERS.some((name) => form.get(name) !== undefined);
    return isReport ? 'voice_status' : 'voice';
  }
  if (route === 'voice') return 'voice';
  const status = form.get('MessageStatus') ?? form.get('SmsStatus');
  return route === 'status' || (status !== undefined && status !== 'received' && status !== 'receiving') ? 'status' : 'message';
}
