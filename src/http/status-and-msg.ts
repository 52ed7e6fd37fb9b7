import { addToRoute } from './route-config';

/** The route's errors are `{"status": "error", "msg": …}`, as an older contract has them, and no problem+json. */
export const StatusAndMsg = (): MethodDecorator => addToRoute({ errorForm: 'status-and-msg' });
