import { Injectable } from '@nestjs/common';
import { type Replies, TwilioConfig } from './twilio.config';
import type { Form } from '../../presets/request/form';
import type { FormKind } from './twilio.form-kind';
import { ourNumber } from './twilio.forms';
import { EMPTY_TWIML, isTwiml, twimlOf } from './twilio.twiml';

type Documents = ReadonlyMap<string, string>;

/** Twilio calls before it does these and waits for the answer; those that it has done end in `ed`. */
const PRE_ACTION = /^on[A-Z].*(?:Add|Update|Remove)$/;

/** What Twilio is answered: TwiML, always, since any other text would be sent on to the user. */
@Injectable()
export class TwilioAnswers {
  private readonly message: Documents;
  private readonly voice: Documents;

  constructor({ replies }: TwilioConfig) {
    this.message = documentsOf(replies.message, 'Message');
    this.voice = documentsOf(replies.voice, 'Say');
  }

  /** The reply that is set for our number, for a message that came in or a call that wants to be told what to do. */
  to(kind: FormKind, form: Form): string {
    // An empty answer lets a conversation do what it is about to; only JSON would change that.
    if (kind === 'conversation' && PRE_ACTION.test(form.get('EventType') ?? '')) return '';
    if (kind !== 'message' && kind !== 'voice') return EMPTY_TWIML;
    const documents = this[kind];
    return documents.get(ourNumber(kind, form) ?? '') ?? documents.get('default') ?? EMPTY_TWIML;
  }
}

const documentsOf = (replies: Replies, verb: 'Message' | 'Say'): Documents =>
  new Map(Object.entries(replies).map(([number, reply]) => [number, documentOf(reply, verb)]));

function documentOf(reply: string, verb: 'Message' | 'Say'): string {
  if (reply.trim() === '') return EMPTY_TWIML;
  return isTwiml(reply) ? reply.trim() : twimlOf(verb, reply);
}
