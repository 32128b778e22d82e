// Config of an application: its attributes, what guards its traffic, whom it tells, what it was before, and its end.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { applicationQuery } from '../../api/application';
import { Refused } from '../../api/client';
import { Answered } from '../../parts/answers';
import { useTexts } from '../../texts';
import { AttributesPart } from './attributes-part';
import { EditDialog } from './edit';
import { GuardsPart } from './guards-part';
import { HistoryPart } from './history-part';
import { NotificationsPart } from './notifications-part';
import { RemovalPart } from './removal';
import './config.css';

const route = getRouteApi('/applications/$application/config');

export function ConfigScreen() {
  const t = useTexts();
  const { application } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useQuery(applicationQuery(application));
  const gone = query.error instanceof Refused && query.error.status === 404;
  // What is open is in the address; closing one leaves the open state of the history open.
  const show = (next: { edit?: string; guard?: string; notification?: string }) => void navigate({ search: { ...next, ...(search.revision === undefined ? {} : { revision: search.revision }) } });
  const close = () => show({});
  const state = (revision: string | undefined) => void navigate({ search: revision === undefined ? {} : { revision }, replace: true });

  if (gone) {
    return (
      <div className="screen config">
        <h1 className="hidden-words">{t.config.title}</h1>
        <p className="notice">{t.config.missing}</p>
        <HistoryPart application={application} now={undefined} revision={search.revision} onOpen={state} />
      </div>
    );
  }
  return (
    <div className="screen config">
      <h1 className="hidden-words">{t.config.title}</h1>
      <Answered query={query}>
        {(attributes) => (
          <>
            <AttributesPart attributes={attributes} onEdit={() => show({ edit: 'attributes' })} />
            <GuardsPart application={application} attributes={attributes} adding={search.edit === 'guard'} removing={search.guard} onShow={show} onClose={close} />
            <NotificationsPart application={application} chosen={search.notification} removing={search.edit === 'unnotify'} onShow={show} onClose={close} />
            <HistoryPart application={application} now={attributes} revision={search.revision} onOpen={state} />
            <RemovalPart application={application} open={search.edit === 'delete'} onOpen={() => show({ edit: 'delete' })} onClose={close} />
            {search.edit === 'attributes' && <EditDialog application={application} attributes={attributes} onClose={close} />}
          </>
        )}
      </Answered>
    </div>
  );
}
