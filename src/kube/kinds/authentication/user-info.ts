/** Who somebody is, as reviews tell it. */
import { type Infer, list, map, object, string } from '#kube/schema.ts';

export const userInfoSchema = object(
  {
    username: string('The name of the user.'),
    uid: string('What tells this user from later ones of the same name.'),
    groups: list(string(), 'The groups that the user is in.'),
    extra: map(list(string()), 'What else authentication found out.'),
  },
  { name: 'io.k8s.api.authentication.v1.UserInfo', doc: 'A user as authentication knows it.' },
);
export type UserInfo = Infer<typeof userInfoSchema>;
