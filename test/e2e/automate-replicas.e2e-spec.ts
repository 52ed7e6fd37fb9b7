import { acquireEngines, type Engines } from '../support/engines';
import { eventually } from '../support/eventually';
import { batchOf, FacebookSender, newMessageId } from '../support/facebook-sender';
import { type ApiAnswer, Gateway } from '../support/gateway';
import { AUTOMATE_SECRET, COORDINATOR_SECRET, otpOf, OtpService, wrongOtp } from '../support/otp-service';

describe('one-time passwords over two replicas', () => {
  let engines: Engines;
  let replicas: Gateway[];
  let agents: OtpService;
  let coordinator: OtpService;

  beforeAll(async () => {
    engines = await acquireEngines('rabbitmq and postgres');
    [agents, coordinator] = await Promise.all([OtpService.start(AUTOMATE_SECRET), OtpService.start(COORDINATOR_SECRET)]);
    const env = {
      HOOK_SERVER_AUTOMATE_OTP_SECRET: AUTOMATE_SECRET,
      HOOK_SERVER_WEB_API_URL: agents.url,
      THREAD_COORDINATOR_URL: coordinator.url,
      THREAD_COORDINATOR_OTP_SECRET: COORDINATOR_SECRET,
    };
    // Both make the endpoints of the settings in an empty database at once.
    replicas = await Promise.all([0, 1].map(() => Gateway.ready({ ...engines.options, env })));
  });
  afterAll(async () => {
    await Promise.all((replicas ?? []).map((replica) => replica.remove()));
    await Promise.all([agents?.stop(), coordinator?.stop()]);
    await engines?.release();
  });

  const post = (replica: number, body: object, code: string): Promise<ApiAnswer> =>
    replicas[replica % 2]!.call('POST', '/automate', body, { 'x-otp': code });

  it('lets one of twenty identical posts in, two different ones both, and hands each over once', async () => {
    const [gateway] = replicas as [Gateway];
    const facebook = new FacebookSender(gateway.url);
    await facebook.post(batchOf([newMessageId()], 'page'));
    await facebook.close();
    const threadId = 'facebook:page:USER_1';
    await eventually('the thread is kept', async () => (await gateway.get(`/api/v1/threads/${threadId}`)).status === 200);

    const code = otpOf(AUTOMATE_SECRET);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => post(index, { threadId, reason: 'same' }, code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, ...Array<number>(19).fill(409)]);
    const different = await Promise.all([0, 1].map((index) => post(index, { threadId, reason: `other ${index}` }, code)));
    expect(different.map(({ status }) => status)).toEqual([202, 202]);
    expect((await post(1, { threadId, reason: 'other 0' }, code)).body.code).toBe('otp_replayed');

    await eventually('three outcomes', () => coordinator.callsOf(threadId, 'owner').length === 3);
    await gateway.drained();
    const reasons = agents.callsOf(threadId, 'handover').map(({ body }) => body.reason as string);
    expect(reasons.sort()).toEqual(['other 0', 'other 1', 'same']);
    expect(coordinator.callsOf(threadId, 'owner')).toHaveLength(3);
  });

  it('locks the address at both after five wrong codes at either, and keeps it locked over a restart', async () => {
    for (let count = 0; count < 5; count++) expect((await post(count, { threadId: 'a' }, wrongOtp(AUTOMATE_SECRET))).status).toBe(401);
    for (const replica of [0, 1]) {
      const locked = await post(replica, { threadId: 'a' }, otpOf(AUTOMATE_SECRET));
      expect(locked).toMatchObject({ status: 429, body: { code: 'otp_locked' } });
      expect(Number(locked.headers['retry-after'])).toBeGreaterThan(800);
    }
    await replicas[1]!.terminate();
    replicas[1]!.start();
    await replicas[1]!.becomesReady();
    expect((await post(1, { threadId: 'a' }, otpOf(AUTOMATE_SECRET))).status).toBe(429);
  });
});
