import { type ValidationArguments, ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';
import { isMap } from '../../config/setting-tree';
import { isTwiml, twimlOf, twimlProblem } from './twilio.twiml';

/** A map of our numbers, and `default`, to texts and TwiML documents. */
@ValidatorConstraint({ name: 'replies' })
export class ReplyRules implements ValidatorConstraintInterface {
  validate(replies: unknown): boolean {
    return problemOf(replies) === undefined;
  }

  defaultMessage({ value }: ValidationArguments): string {
    return `a map of numbers (as Twilio writes them) and default to text or TwiML${problemOf(value) ?? ''}`;
  }
}

function problemOf(replies: unknown): string | undefined {
  if (!isMap(replies)) return '';
  for (const [number, reply] of Object.entries(replies)) {
    if (typeof reply !== 'string') return `; that of ${number} is no text`;
    const problem = twimlProblem(isTwiml(reply) ? reply.trim() : twimlOf('Message', reply));
    if (problem !== undefined) return `; that of ${number} ${problem}`;
  }
  return undefined;
}
