#include "cli/daemon/daemon_mounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

void daemon_mounts_init(struct daemon_mounts *m)
{
	*m = (struct daemon_mounts){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
}

static void mount_free(struct daemon_mount *one)
{
	session_free(one->session);
	free(one->point);
	free(one->view);
	free(one);
}

static void *serve(void *arg)
{
	struct daemon_mount *one = arg;

	session_run(one->session);
	SCOPED_LOCK(&one->of->lock);
	one->ended = true;
	pthread_cond_broadcast(&one->of->changed);
	return NULL;
}

static int mount_new(struct daemon_mounts *m, const struct session_options *o, struct daemon_mount **out,
		     struct buf *error)
{
	struct daemon_mount *one = calloc(1, sizeof(*one));
	int rc;

	if (!one)
		return -ENOMEM;
	one->of = m;
	one->point = strdup(o->mountpoint);
	one->view = o->view ? strdup(o->view) : NULL;
	rc = !one->point || (o->view && !one->view) ? -ENOMEM : session_mount(m->lake, o, &one->session, error);
	if (rc < 0) {
		mount_free(one);
		return rc;
	}
	*out = one;
	return 0;
}

/* ONE is served from now on; not when the daemon is ending. */
static int start(struct daemon_mounts *m, struct daemon_mount *one)
{
	SCOPED_LOCK(&m->lock);
	int rc = m->ending ? -ECANCELED : -pthread_create(&one->thread, NULL, serve, one);

	if (rc)
		return rc;
	one->users = 1;
	one->next = m->list;
	m->list = one;
	if (!one->view)
		m->live = one;
	return 0;
}

static void put(struct daemon_mounts *m, struct daemon_mount *one)
{
	SCOPED_LOCK(&m->lock);

	one->users--;
	pthread_cond_broadcast(&m->changed);
}

int daemon_mounts_add(struct daemon_mounts *m, const struct session_options *o, struct buf *error)
{
	struct daemon_mount *one;
	int rc = mount_new(m, o, &one, error);

	if (rc < 0)
		return rc;
	rc = start(m, one);
	if (rc < 0) {
		mount_free(one);
		return rc;
	}
	rc = session_probe(one->session);
	if (rc < 0) {
		buf_addf(error, "%s: the mount does not answer: %s", o->mountpoint, strerror(-rc));
		session_end(one->session);
	} else {
		log_info("%s%s%s is mounted at %s; passthrough: %s", m->lake->path, o->view ? " as of " : "",
			 o->view ? o->view : "", o->mountpoint, session_passthrough(one->session));
	}
	put(m, one);
	return rc;
}

/* A view whose loop has returned, taken out of the list; NULL: there is none. */
static struct daemon_mount *take_ended_locked(struct daemon_mounts *m)
{
	for (struct daemon_mount **at = &m->list; *at; at = &(*at)->next) {
		struct daemon_mount *one = *at;

		if (!one->ended || one->users || one == m->live)
			continue;
		*at = one->next;
		return one;
	}
	return NULL;
}

void daemon_mounts_wait(struct daemon_mounts *m)
{
	pthread_mutex_lock(&m->lock);
	for (;;) {
		struct daemon_mount *one = take_ended_locked(m);

		if (one) {
			pthread_mutex_unlock(&m->lock);
			pthread_join(one->thread, NULL);
			log_info("the view at %s is unmounted", one->point);
			mount_free(one);
			pthread_mutex_lock(&m->lock);
		} else if (m->live ? m->live->ended : !m->list) {
			break;
		} else {
			pthread_cond_wait(&m->changed, &m->lock);
		}
	}
	m->ending = true;
	pthread_mutex_unlock(&m->lock);
}

/* The first that is still served; it stays in the list while the daemon is ending. */
static struct daemon_mount *first_served(struct daemon_mounts *m)
{
	SCOPED_LOCK(&m->lock);
	struct daemon_mount *one;

	m->ending = true;
	for (one = m->list; one && one->ended; one = one->next)
		;
	if (one)
		one->users++;
	return one;
}

void daemon_mounts_end(struct daemon_mounts *m)
{
	struct daemon_mount *one;

	while ((one = first_served(m))) {
		session_end(one->session);
		put(m, one);
	}
}

void daemon_mounts_join(struct daemon_mounts *m)
{
	for (struct daemon_mount *one = m->list; one; one = one->next)
		pthread_join(one->thread, NULL);
}

void daemon_mounts_free(struct daemon_mounts *m)
{
	while (m->list) {
		struct daemon_mount *one = m->list;

		m->list = one->next;
		mount_free(one);
	}
	m->live = NULL;
}

void daemon_mounts_tell(struct daemon_mounts *m, struct json_object *reply)
{
	SCOPED_LOCK(&m->lock);
	struct json_object *views = json_object_new_array();

	if (m->live)
		json_object_object_add(reply, "mountpoint", json_object_new_string(m->live->point));
	for (struct daemon_mount *one = m->list; one; one = one->next) {
		struct json_object *view;

		if (!one->view || one->ended)
			continue;
		view = json_object_new_object();
		json_object_object_add(view, "mountpoint", json_object_new_string(one->point));
		json_object_object_add(view, "view", json_object_new_string(one->view));
		json_object_array_add(views, view);
	}
	json_object_object_add(reply, "views", views);
	if (m->live || m->list)
		json_object_object_add(
			reply, "passthrough",
			json_object_new_string(session_passthrough((m->live ? m->live : m->list)->session)));
}
