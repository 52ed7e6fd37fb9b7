import { rabbitServers } from './broker.config';

const account = { username: 'us/er', password: 'p@ss:word' };

describe('rabbitServers', () => {
  it.each([
    { title: 'none for the embedded broker', url: null, hosts: [], servers: [] },
    { title: 'each URL', url: 'amqp://a:b@one:5672/v, amqps://two', hosts: [], servers: ['amqp://a:b@one:5672/v', 'amqps://two'] },
    { title: 'the URL over hosts', url: 'amqp://one', hosts: ['two'], servers: ['amqp://one'] },
    {
      title: 'hosts with the account',
      url: null,
      hosts: ['one', ' two:5673 ', ''],
      servers: ['amqp://us%2Fer:p%40ss%3Aword@one', 'amqp://us%2Fer:p%40ss%3Aword@two:5673'],
    },
  ])('gives $title', ({ url, hosts, servers }) => {
    expect(rabbitServers({ url }, { ...account, hosts })).toEqual(servers);
  });
});
