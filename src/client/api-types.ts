/* oxlint-disable -- generated */
/**
 * Types of every route's requests and answers.
 * Generated from our own `/openapi.json`: change the schemas in src/api, then run `npm run openapi`.
 */
export interface paths {
  '/health/live': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Check that the process answers */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Alive. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'text/plain': string;
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/health/ready': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Check that the server can serve
     * @description 200 while Postgres answers. `degraded` means that Temporal is unreachable or Postgres is read-only: reads still work.
     */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Ready. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Readiness'];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/login': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Log in
     * @description Exchanges a username and a password for a token. Sets a cookie that marks the browser as known, so that wrong passwords from elsewhere never delay its logins; the cookie grants no access.
     */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** @description Name of a local user. */
            username: string;
            /** @description Password of the user. */
            password: string;
          };
          'application/x-www-form-urlencoded': {
            /** @description Name of a local user. */
            username: string;
            /** @description Password of the user. */
            password: string;
          };
          'multipart/form-data': {
            /** @description Name of a local user. */
            username: string;
            /** @description Password of the user. */
            password: string;
          };
        };
      };
      responses: {
        /** @description A bearer token. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Token'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/login/renew': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Renew a token
     * @description Exchanges a valid token for a newer one, until 12 hours after the login with a password.
     */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description A bearer token. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Token'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/me': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Show your name, role and limits
     * @description Permissions are read now; those at the time of login do not count.
     */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The caller. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Me'];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/sync/{target}/{env}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show what sync would run */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The steps that would run. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['DryRun'];
          };
        };
      };
    };
    put?: never;
    /** Start sync */
    post: {
      parameters: {
        query?: {
          /** @description Start it although PROMOTE_FROM asks for a run that is missing. Needs the role admin. */
          unpromoted?: 'true' | 'false' | 'True' | 'False';
        };
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description A job with the same parameters is active already. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
        /** @description A new job; or, with QUEUE=one and a busy target, a start that is remembered. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'] | components['schemas']['QueuedStart'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/delta/{target}/{env}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show what delta would run */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The steps that would run. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['DryRun'];
          };
        };
      };
    };
    put?: never;
    /** Start delta */
    post: {
      parameters: {
        query?: {
          /** @description Start it although PROMOTE_FROM asks for a run that is missing. Needs the role admin. */
          unpromoted?: 'true' | 'false' | 'True' | 'False';
        };
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description A job with the same parameters is active already. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
        /** @description A new job; or, with QUEUE=one and a busy target, a start that is remembered. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'] | components['schemas']['QueuedStart'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/delete/{target}/{env}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show what delete would run */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The steps that would run. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['DryRun'];
          };
        };
      };
    };
    put?: never;
    /** Start delete */
    post: {
      parameters: {
        query?: {
          /** @description Start it although PROMOTE_FROM asks for a run that is missing. Needs the role admin. */
          unpromoted?: 'true' | 'false' | 'True' | 'False';
        };
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description A job with the same parameters is active already. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
        /** @description A new job; or, with QUEUE=one and a busy target, a start that is remembered. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'] | components['schemas']['QueuedStart'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/diff/{target}/{env}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show what diff would run */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The steps that would run. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['DryRun'];
          };
        };
      };
    };
    put?: never;
    /** Start diff */
    post: {
      parameters: {
        query?: {
          /** @description Start it although PROMOTE_FROM asks for a run that is missing. Needs the role admin. */
          unpromoted?: 'true' | 'false' | 'True' | 'False';
        };
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description A job with the same parameters is active already. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
        /** @description A new job; or, with QUEUE=one and a busy target, a start that is remembered. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'] | components['schemas']['QueuedStart'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/run': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Start a job by parameters */
    post: {
      parameters: {
        query?: {
          /** @description Start it although PROMOTE_FROM asks for a run that is missing. Needs the role admin. */
          unpromoted?: 'true' | 'false' | 'True' | 'False';
        };
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['Run'];
        };
      };
      responses: {
        /** @description A job with the same parameters is active already. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
        /** @description A new job; or, with QUEUE=one and a busy target, a start that is remembered. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'] | components['schemas']['QueuedStart'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/dryrun': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Show what a start by parameters would run */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['Run'];
        };
      };
      responses: {
        /** @description The steps that would run. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['DryRun'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/next/{target}/{env}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show the remembered next start of a target */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description It becomes a job when the target is free. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['NextStart'];
          };
        };
      };
    };
    put?: never;
    post?: never;
    /** Cancel the remembered next start of a target */
    delete: {
      parameters: {
        query?: {
          /** @description Cancel it only if it still is this one: another may have taken its place. */
          uid?: string;
        };
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The cancelled start. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['NextStart'];
          };
        };
      };
    };
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/rollback/{target}/{env}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Roll back to before the last sync or an earlier job
     * @description Runs in one transaction and can itself be rolled back. With `preview` nothing changes. For a SINK that keeps only one earlier generation (Solr, OpenSearch), `before` must be the last sync, and it is restored whole. There `ids` and `only` restore records that a job removed; updated ones come back with the generation alone.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          'application/json': components['schemas']['Rollback'];
        };
      };
      responses: {
        /** @description A job with the same parameters is active already. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
        /** @description A new job. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/take-over/{target}/{env}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Take over the sink of a target from another owner
     * @description For a job that failed with `sink_owned` or `sink_replaced`: the sink was written by another installation, target or environment. Afterwards jobs of the former owner are refused, and earlier states cannot be restored.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description A job with the same parameters is active already. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
        /** @description A new job. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/forget/{target}/{env}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Erase the earlier values of records
     * @description From the history that rollbacks use, from records set aside, and from the contents of losses and plans. Live records stay: remove them at the source first. For an admin; one with limited actions needs `forget` among them.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['Forget'];
        };
      };
      responses: {
        /** @description A job with the same parameters is active already. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
        /** @description A new job. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/story/{target}/{env}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Start a job that tells the story of one record
     * @description Starts a short job that reads the sink's history and changes nothing: which job added, changed, removed, held or restored the record, with the values before and after. For an operator, because it shows contents of records; one with limited actions needs `story` among them. SINK=postgres only.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['AskedStory'];
        };
      };
      responses: {
        /** @description A job with the same parameters is active already. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
        /** @description A new job. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/story': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Show the story that a job told
     * @description With contents of records, so it always needs a token, also with PUBLIC_READS=true. Kept for 7 days. The answers of people to losses that had the record stand among its entries; they are read anew each time.
     */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The story. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Story'];
          };
        };
      };
    };
    put?: never;
    /**
     * Upload the story of a record
     * @description For the program of a job of action `story`, with its SYNCRATOR_REPORT_TOKEN. Repeating it is harmless.
     */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['ToldStory'];
        };
      };
      responses: {
        /** @description The story was stored. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['StoryVerdict'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/targets/{name}/{env}/records/{id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Show the story of a record, as it was last told
     * @description POST /story/{target}/{env} tells it anew. With contents of records, so it always needs a token, also with PUBLIC_READS=true. Kept for 7 days. The answers of people to losses that had the record stand among its entries; they are read anew each time.
     */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The name of the target. */
          name: string;
          /** @description The environment. */
          env: string;
          /** @description The id of the record, percent-encoded. For the ids `.` and `..` use GET /jobs/{id}/story. */
          id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The story. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Story'];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/report': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    /**
     * Report the progress of an attempt
     * @description For the program of a running attempt, with its SYNCRATOR_REPORT_TOKEN. Send at most one report a second.
     */
    put: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['Report'];
        };
      };
      responses: {
        /** @description The report was stored, or ignored because a newer one is stored. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['ReportVerdict'];
          };
        };
      };
    };
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/held': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Upload the held records of a target
     * @description For the program of a running attempt, with its SYNCRATOR_REPORT_TOKEN: the whole waiting set of its target, page by page, also an empty one. Repeating a page is harmless.
     */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['HeldPage'];
        };
      };
      responses: {
        /** @description The page was stored; after the last one the set is complete. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['HeldVerdict'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/approved-removals': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the ids that a removal may remove
     * @description For the program of a job of action `remove`, with its SYNCRATOR_REPORT_TOKEN.
     */
    get: {
      parameters: {
        query?: {
          /** @description Only ids behind this one. */
          after?: string;
          /** @description Ids per page; 1000 by default. */
          limit?: number;
        };
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description One page of the ids that were approved, in byte order. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['ApprovedRemovals'];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/plan': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Upload what a job would change
     * @description For the program of a job of action `plan`, with its SYNCRATOR_REPORT_TOKEN, page by page. Repeating a page is harmless.
     */
    post: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['PlanPage'];
        };
      };
      responses: {
        /** @description The page was stored; after the last one the plan is complete. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['PlanVerdict'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/reports': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List points of a job's progress
     * @description Returns at most 500 points of all steps and attempts, evenly thinned, with the first and the last point of each attempt.
     */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Points, by step, attempt and time. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['ReportPoint'][];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/manifest': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Show what the runner starts for each step
     * @description Renders the newest attempt of each step, or the first attempt if the step has not started: a Kubernetes Job or a process, in the form of `result` of a dry run. Empty for a job with RUNNER=external. KUBERNETES_POD_OVERRIDES is applied as it is set on this server now.
     */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Rendered steps in order, without secrets. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['RenderedStep'][];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/logs': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read, follow or download the log of a job
     * @description Without `step` and `attempt`: the newest attempt; with `follow` that attempt and all later ones; with `download` all attempts in order. The header X-Log-End holds the offset of the next byte. `follow` sends `log` events {step, attempt, offset, end, text} and one `end` event; Last-Event-ID resumes. Of a log longer than LOG_LIMIT the beginning and the end are kept, with a line that counts the bytes omitted between them. Updates of an external executor are the log of step 0, attempt 1: one line of time and message for each.
     */
    get: {
      parameters: {
        query?: {
          /** @description The step, from 0. */
          step?: number;
          /** @description The attempt of the step, from 1. */
          attempt?: number;
          /** @description Byte to start from; a value of X-Log-End or of an event id. */
          offset?: number;
          /** @description Send Server-Sent Events while the log grows. */
          follow?: '' | 'true' | 'false';
          /** @description Send the text as a file (Content-Disposition). */
          download?: '' | 'true' | 'false';
        };
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Text, or Server-Sent Events with `follow`. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'text/plain': string;
            'text/event-stream': {
              /**
               * @description The type of the event.
               * @enum {string}
               */
              event: 'log' | 'end' | 'error';
              /** @description Send it as Last-Event-ID to resume after this event. */
              id?: string;
              /** @description The payload, as JSON. */
              data: string;
            };
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/events': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Follow all jobs and the maintenance flag
     * @description A `job` event carries the job as GET /jobs/{id} returns it. Events may repeat or arrive out of order: keep the highest `version`. A stream ends after at most 15 minutes, and within a minute after the caller loses the right to read; reconnect with Last-Event-ID to miss nothing. `ready` comes first. `reset` means that more than 256 jobs have changed: read the lists again.
     */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The event stream. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'text/event-stream': {
              /**
               * @description The type of the event.
               * @enum {string}
               */
              event: 'ready' | 'job' | 'maintenance' | 'reset' | 'error';
              /** @description Send it as Last-Event-ID to resume after this event. */
              id?: string;
              /** @description The payload, as JSON. */
              data: string;
            };
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/events': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Follow one job until it ends
     * @description A `job` event carries the job as GET /jobs/{id} returns it. Events may repeat or arrive out of order: keep the highest `version`. A stream ends after at most 15 minutes, and within a minute after the caller loses the right to read; reconnect with Last-Event-ID to miss nothing. `end` comes last.
     */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The event stream. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'text/event-stream': {
              /**
               * @description The type of the event.
               * @enum {string}
               */
              event: 'job' | 'end' | 'error';
              /** @description Send it as Last-Event-ID to resume after this event. */
              id?: string;
              /** @description The payload, as JSON. */
              data: string;
            };
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/resume': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Resume a failed job
     * @description Starts a new job (`resumes`) with the options of the failed one, without --force-delete; image, command and limits come from its current params file. Completed steps are skipped, unless the last of them ended over an hour ago. The failed step continues from its last checkpoint, if its program has one.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description An identical job is active already, by another request. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Job'];
          };
        };
        /** @description The new job. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Job'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/resume-all': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Resume every target whose last job failed
     * @description Each job is resumed or refused by itself. Jobs that ended over 24 h ago are refused (too_old): resume them one by one. Repeating the request is harmless: resumed jobs are left alone. An Idempotency-Key has no effect.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The result for each job. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Resumed'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List jobs, newest first */
    get: {
      parameters: {
        query?: {
          /** @description Page number, from 1. */
          page?: number;
          /** @description Entries per page; 50 by default. */
          limit?: number;
          /** @description Opaque cursor from a Link header. */
          cursor?: string;
          /** @description Only jobs with these statuses, reasons of waiting jobs, or phases of external executors; comma-separated or repeated. */
          status?: string[];
          /** @description Only jobs with these ACTION_NAMEs; comma-separated or repeated. */
          operation?: string[];
          /** @description Only jobs of this environment. */
          env?: string;
          /** @description Hide all jobs that have ended. */
          ignoreCompleted?: 'true' | 'false' | 'True' | 'False';
          /** @description Only jobs created at or after this time. */
          since?: string;
          /** @description Only jobs created before this time. */
          until?: string;
          /** @description Only jobs of this target. */
          target?: string;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description One page; the Link header names the next page. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Job'][];
          };
        };
      };
    };
    put?: never;
    /**
     * Start many jobs at once
     * @description Each job is created or refused by itself; the answer keeps the order. A target with an active job, also of the same batch, refuses another one, or with QUEUE=one remembers it. An Idempotency-Key covers the whole batch and its answer.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['Batch'];
        };
      };
      responses: {
        /** @description The result for each job, in order. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['BatchAnswer'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Show a job
     * @description Returns the job with its steps, progress, diagnosis and sync job.
     */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The job. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Job'];
          };
        };
      };
    };
    /**
     * Update a job of an external executor
     * @description For jobs with RUNNER=external. The first update starts the job, also during maintenance. `status` becomes the `phase` of the job; the filter `status` of GET /jobs matches it too. Each update adds one or two lines to the log.
     */
    put: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['ExecutorsWord'];
        };
      };
      responses: {
        /** @description The updated job. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Job'];
          };
        };
      };
    };
    post?: never;
    /**
     * Cancel a job
     * @description Cancels the job. Unstarted and external jobs end immediately; a finished job is unchanged; otherwise the pod is stopped first.
     */
    delete: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The job has ended, now or before. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Job'];
          };
        };
        /** @description The job is being cancelled. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Job'];
          };
        };
      };
    };
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/jobs/{id}/force-delete': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * End a cancelling job whose node is lost
     * @description Ends a job in status `cancelling` without waiting for its pod. Use it only if the node is lost for good.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The worker will end the job. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Job'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/sync_jobs': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List runs of sync programs, newest first */
    get: {
      parameters: {
        query?: {
          /** @description Page number, from 1. */
          page?: number;
          /** @description Entries per page; 50 by default. */
          limit?: number;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description One page; the Link header names the next page. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['SyncJob'][];
          };
        };
      };
    };
    put?: never;
    /** Record a run started outside of Syncrator */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** @description The action of the run. */
            type: string;
            /**
             * Format: date-time
             * @description When the run started; now by default.
             */
            start_time?: string;
            /**
             * Format: date-time
             * @description When the run ended.
             */
            end_time?: string | null;
            /** @description Where the program reads from. */
            data_source?: string | null;
            /** @description Records processed so far. */
            total_records?: number;
            /** @description Whether the run succeeded. */
            completed?: boolean | null;
            /** @description Options of the program. */
            options?: string | null;
            /** @description Version of the program. */
            version?: string | null;
            /** @description Where the program writes to. */
            target_datastore_url?: string | null;
          };
        };
      };
      responses: {
        /** @description The record. */
        201: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['SyncJob'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/sync_jobs/{id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    /**
     * Update the record of a run started outside of Syncrator
     * @description For its recorder and for admins without limits. The audit keeps the previous values.
     */
    put: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /**
             * Format: date-time
             * @description When the run ended.
             */
            end_time?: string | null;
            /** @description Where the program reads from. */
            data_source?: string | null;
            /** @description Records processed so far. */
            total_records?: number;
            /** @description Whether the run succeeded. */
            completed?: boolean | null;
            /** @description Options of the program. */
            options?: string | null;
            /** @description Version of the program. */
            version?: string | null;
            /** @description Where the program writes to. */
            target_datastore_url?: string | null;
          };
        };
      };
      responses: {
        /** @description The record. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['SyncJob'];
          };
        };
      };
    };
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/losses': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List losses, the oldest waiting one first
     * @description Resolved ones follow, the newest first.
     */
    get: {
      parameters: {
        query?: {
          /** @description Page number, from 1. */
          page?: number;
          /** @description Entries per page; 50 by default. */
          limit?: number;
          /** @description Only losses of this environment. */
          env?: string;
          /** @description Only losses of this target. */
          target?: string;
          /** @description Only losses with this status; `waiting` by default. */
          status?: 'waiting' | 'resolved' | 'all';
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description One page; the Link header names the next page. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Loss'][];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/losses/{id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show a loss */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The loss. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Loss'];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/losses/{id}/records': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the held records of a loss
     * @description With their contents, so it always needs a token, also with PUBLIC_READS=true. A resolved loss has none.
     */
    get: {
      parameters: {
        query?: {
          /** @description Entries per page; 50 by default. */
          limit?: number;
          /** @description Only ids that contain this text. */
          id?: string;
          /** @description Only ids behind this one. */
          after?: string;
        };
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description One page, in the byte order of the ids; the Link header names the next page. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['LossRecord'][];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/losses/{id}/approve': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Approve that the records of a loss are removed
     * @description Needs the right `approve`. The last approval that is needed starts a job of action `remove`, which looks at the source again and removes exactly the approved records that are still missing.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['Approve'];
        };
      };
      responses: {
        /** @description The approval is stored. `removal_job_id` names the removal once enough people have approved. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Loss'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/losses/{id}/keep': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Keep records of a loss
     * @description Needs the right `approve`. The records stay live and are not proposed for removal until the days are over. The digest of the loss changes.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['Keep'];
        };
      };
      responses: {
        /** @description The loss without these records. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Loss'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/plans': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List plans, the newest first */
    get: {
      parameters: {
        query?: {
          /** @description Page number, from 1. */
          page?: number;
          /** @description Entries per page; 50 by default. */
          limit?: number;
          /** @description Only plans of this environment. */
          env?: string;
          /** @description Only plans of this target. */
          target?: string;
          /** @description Only plans in this state. */
          state?: 'ready' | 'applied' | 'stale' | 'expired';
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description One page; the Link header names the next page. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Plan'][];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/plans/{id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Show a plan
     * @description Its id is that of the job that made it.
     */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The plan. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Plan'];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/plans/{id}/records': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the records of a plan
     * @description With their contents, so it always needs a token, also with PUBLIC_READS=true. An expired plan has none, and of each target only the newest plans have some.
     */
    get: {
      parameters: {
        query?: {
          /** @description Entries per page; 50 by default. */
          limit?: number;
          /** @description Only records of this kind. */
          kind?: 'added' | 'updated' | 'removed' | 'held';
          /** @description Only ids that contain this text. */
          id?: string;
          /** @description Only records behind this one. */
          after?: string;
        };
        header?: never;
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description One page, in the order of kinds (added, updated, removed, held) and the byte order of ids; the Link header names the next page. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['PlanRecord'][];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/plan/{action}/{target}/{env}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Plan what an action would change
     * @description Starts a job that does everything of a sync, delta, delete up to the change, and changes no record. Its plan then shows every record that would change (GET /plans/{id}, with the id of the job). Needs the rights of a start of the action.
     */
    post: {
      parameters: {
        query?: {
          /** @description Start it although PROMOTE_FROM asks for a run that is missing. Needs the role admin. */
          unpromoted?: 'true' | 'false' | 'True' | 'False';
        };
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path: {
          /** @description A declared target. */
          target: string;
          /** @description A declared environment. */
          env: string;
          /** @description A declared action. */
          action: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description A job with the same parameters is active already. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
        /** @description A new job. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/plans/{id}/apply': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Apply a plan
     * @description Starts a job that makes exactly the changes of the plan, or none (`plan_stale`) if the sink has changed since. Needs the rights of a start of the planned action.
     */
    post: {
      parameters: {
        query?: {
          /** @description Start it although PROMOTE_FROM asks for a run that is missing. Needs the role admin. */
          unpromoted?: 'true' | 'false' | 'True' | 'False';
        };
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path: {
          /** @description The id of the job or record. */
          id: number;
        };
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': components['schemas']['Apply'];
        };
      };
      responses: {
        /** @description A job with the same parameters is active already. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
        /** @description A new job. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/targets': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List all targets */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Targets, by name. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Target'][];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/targets/{name}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Show a target
     * @description Also shows a target without jobs, if its name matches a TARGET_PATTERN.
     */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The name of the target. */
          name: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The target. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Target'];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/targets/{name}/jobs': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the jobs of a target, newest first
     * @description Includes jobs of other targets whose manifest names this one (BUMP of a datastore).
     */
    get: {
      parameters: {
        query?: {
          /** @description Page number, from 1. */
          page?: number;
          /** @description Entries per page; 50 by default. */
          limit?: number;
          /** @description Opaque cursor from a Link header. */
          cursor?: string;
          /** @description Only jobs with these statuses, reasons of waiting jobs, or phases of external executors; comma-separated or repeated. */
          status?: string[];
          /** @description Only jobs with these ACTION_NAMEs; comma-separated or repeated. */
          operation?: string[];
          /** @description Only jobs of this environment. */
          env?: string;
          /** @description Hide all jobs that have ended. */
          ignoreCompleted?: 'true' | 'false' | 'True' | 'False';
          /** @description Only jobs created at or after this time. */
          since?: string;
          /** @description Only jobs created before this time. */
          until?: string;
        };
        header?: never;
        path: {
          /** @description The name of the target. */
          name: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description One page; the Link header names the next page. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Job'][];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/products': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List all targets */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Targets, by name. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Target'][];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/products/{name}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Show a target
     * @description Also shows a target without jobs, if its name matches a TARGET_PATTERN.
     */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path: {
          /** @description The name of the target. */
          name: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The target. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Target'];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/products/{name}/jobs': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the jobs of a target, newest first
     * @description Includes jobs of other targets whose manifest names this one (BUMP of a datastore).
     */
    get: {
      parameters: {
        query?: {
          /** @description Page number, from 1. */
          page?: number;
          /** @description Entries per page; 50 by default. */
          limit?: number;
          /** @description Opaque cursor from a Link header. */
          cursor?: string;
          /** @description Only jobs with these statuses, reasons of waiting jobs, or phases of external executors; comma-separated or repeated. */
          status?: string[];
          /** @description Only jobs with these ACTION_NAMEs; comma-separated or repeated. */
          operation?: string[];
          /** @description Only jobs of this environment. */
          env?: string;
          /** @description Hide all jobs that have ended. */
          ignoreCompleted?: 'true' | 'false' | 'True' | 'False';
          /** @description Only jobs created at or after this time. */
          since?: string;
          /** @description Only jobs created before this time. */
          until?: string;
        };
        header?: never;
        path: {
          /** @description The name of the target. */
          name: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description One page; the Link header names the next page. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Job'][];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/maintenance-status': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show the maintenance flag */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The flag and the number of running jobs. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Maintenance'];
          };
        };
      };
    };
    put?: never;
    /**
     * Set the maintenance flag
     * @description While the flag is set no job starts; running jobs continue.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            /** @description Why; shown on the page. */
            msg: string;
            /** @description True: start no job. Either this or `pause` is required. */
            paused?: boolean;
            /** @description The same as a number. */
            pause?: 0 | 1;
          } & (unknown | unknown);
        };
      };
      responses: {
        /** @description The flag and the number of running jobs. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Maintenance'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/maintenance-history': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List changes of the maintenance flag, newest first */
    get: {
      parameters: {
        query?: {
          /** @description Page number, from 1. */
          page?: number;
          /** @description Entries per page; 50 by default. */
          limit?: number;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description One page; the Link header names the next page. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['MaintenanceEntry'][];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/params': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Show whether the params files in use are those on disk
     * @description Tells the state of the api process that answers.
     */
    get: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The state of the params files. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Params'];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/reload': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Read the params files again
     * @description Acts on the api process that answers. Every other api and every worker looks at its own files every 2 seconds and reads changed ones by itself, as does this one without a call. One faulty file leaves the whole former state in use. Jobs keep the parameters that they were submitted with.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The files were read, and are in use. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Reloaded'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/schedules': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List all schedules */
    get: {
      parameters: {
        query?: never;
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Schedules, by id. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Schedules'];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/schedules/{id}/run': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Start the job of a schedule now */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path: {
          /** @description The id of the schedule: <env>.<target>.<action>. */
          id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description A job with the same parameters is active already. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Job'];
          };
        };
        /** @description A new job. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Job'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/schedules/{id}/pause': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Pause the schedule */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path: {
          /** @description The id of the schedule: <env>.<target>.<action>. */
          id: string;
        };
        cookie?: never;
      };
      requestBody?: {
        content: {
          'application/json': {
            /** @description Why; shown with the schedule. */
            note?: string;
          };
        };
      };
      responses: {
        /** @description The schedule is paused. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['SwitchedSchedule'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/schedules/{id}/resume': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Resume the schedule */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path: {
          /** @description The id of the schedule: <env>.<target>.<action>. */
          id: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The schedule fires again. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['SwitchedSchedule'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/audit': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List audit entries, newest first
     * @description Records every accepted write and login, and denied requests: wrong passwords, expired or revoked tokens (401), missing permissions (403) and conflicts (409). Denials are limited to 60 entries at once, then one a minute, for each caller and each network; `left_out_before` counts the omitted ones. Entries never change. They are deleted only by age, after KEEP_JOBS or by a purge.
     */
    get: {
      parameters: {
        query?: {
          /** @description Page number, from 1. */
          page?: number;
          /** @description Entries per page; 50 by default. */
          limit?: number;
          /** @description Opaque cursor from a Link header. */
          cursor?: string;
          /** @description Only entries of this principal. */
          principal?: string;
          /** @description Only entries with this verb. */
          verb?: string;
          /** @description Only entries about this object: `job 7`, or `job` for all jobs. */
          object?: string;
          /** @description True: only denied requests. False: only those carried out. */
          refused?: 'true' | 'false' | 'True' | 'False';
          /** @description Only entries at or after this time. */
          since?: string;
          /** @description Only entries before this time. */
          until?: string;
        };
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description One page; the Link header names the next page. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['AuditEntry'][];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/importable-datasets': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the tar files of INPUT_DIR and its archive
     * @description Omits tar files that are not datasets (wrong name, unreadable, truncated). The header `X-Skipped-Count` counts them; `X-Skipped` names the first 20 with the reason, form-encoded.
     */
    get: {
      parameters: {
        query?: {
          /** @description Only datasets with metadata, or only those without. */
          hasMetadata?: 'true' | 'false' | 'True' | 'False';
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description Datasets, by name. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['ImportableDataset'][];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/importable-datasets/{name}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    /**
     * Delete a tar file from INPUT_DIR
     * @description Never deletes from the folder archive.
     */
    delete: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path: {
          /** @description The name of the file without `.tar`. */
          name: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The file was deleted. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['DatasetRemoved'];
          };
        };
      };
    };
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/sync': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Start a sync of all items of the bank
     * @description Starts the sync of the target that ITEM_BANK names. 409 with the active job while the target has one.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description A new job. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/sync/{item}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Start a sync of one item of the bank
     * @description Starts the delta of the target with `--item`. 409 with the active job while the target has one.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
          /** @description Repeating the request with the same key within 24 hours repeats the answer. */
          'idempotency-key'?: string;
        };
        path: {
          /** @description The id of the GitLab project. */
          item: string;
        };
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description A new job. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['Started'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/hooks/gitlab': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Receive a webhook of GitLab
     * @description For project, group and system hooks. A push to the default branch, a new project and a moved project request an import of the item. One job imports all requested items as soon as the target is free.
     */
    post: {
      parameters: {
        query?: never;
        header?: {
          /** @description The secret token of the hook: GITLAB_HOOK_SECRET. */
          'x-gitlab-token'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody: {
        content: {
          'application/json': {
            [key: string]: unknown;
          };
        };
      };
      responses: {
        /** @description The hook was recorded or ignored. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['HookAnswer'];
          };
        };
      };
    };
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/api/syncall': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    /**
     * Sync the account and wait for the result
     * @description Starts a job of the target that ACCOUNT names, after the active job of the target has ended. Waits at most 30 s, and not while maintenance holds the job. The header Location names the job.
     */
    patch: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The sync completed. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['AccountSynced'];
          };
        };
        /** @description The job has not ended yet and continues. */
        202: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['AccountPending'];
          };
        };
      };
    };
    trace?: never;
  };
  '/api/syncast': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    /**
     * Request a sync of the account
     * @description Answers at once. One job serves all calls within three seconds; it starts when the target has no active job. GET /api/synlast shows the result.
     */
    patch: {
      parameters: {
        query?: never;
        header?: {
          /** @description Why you do this; the audit keeps it. */
          'x-reason'?: string;
        };
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The sync was requested. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['AccountSynced'];
          };
        };
      };
    };
    trace?: never;
  };
  '/api/synlast': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the results of the last jobs of the account
     * @description Oldest first, including failures. Empty if ACCOUNT is not set.
     */
    get: {
      parameters: {
        query?: {
          /** @description Number of results; 100 by default. */
          count?: number;
        };
        header?: never;
        path?: never;
        cookie?: never;
      };
      requestBody?: never;
      responses: {
        /** @description The last results. */
        200: {
          headers: {
            [name: string]: unknown;
          };
          content: {
            'application/json': components['schemas']['AccountHistory'];
          };
        };
      };
    };
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    Problem: {
      /** @description Always `about:blank`. */
      type: string;
      /** @description The reason phrase of the HTTP status. */
      title: string;
      /** @description The HTTP status. */
      status: number;
      /** @description The thing, the reason and the fix, in English. Do not parse it. */
      detail: string;
      /** @description A stable identifier of the error, for programs. */
      code: string;
      /** @description The same text as `detail`. */
      message: string;
      /** @description The invalid fields, each with its reason. */
      errors?: {
        field: string;
        message: string;
      }[];
      /** @description The faults of the params files. */
      faults?: {
        /** @description The file, or the folder for a fault of all files together. */
        file: string;
        /** @description The line; null if the fault concerns none. */
        line: number | null;
        /** @description The key; null if the fault concerns none. */
        key: string | null;
        /** @description The reason. */
        fault: string;
      }[];
      /** @description The active job that occupies the target. */
      holder?: {
        id: number;
        action: string;
        status: string;
      };
      /**
       * @description The role that the request requires.
       * @enum {string}
       */
      needs?: 'viewer' | 'operator' | 'admin';
      /** @description The env or action that the limits of the caller exclude. */
      outside?:
        | {
            env: string;
          }
        | {
            action: string;
          };
    };
    Readiness: {
      /**
       * @description `degraded`: some requests answer 503.
       * @enum {string}
       */
      status: 'ok' | 'degraded';
      /**
       * @description `read_only`: writes answer 503.
       * @enum {string}
       */
      postgres: 'ok' | 'read_only';
      /**
       * @description `unreachable`: requests that need Temporal answer 503.
       * @enum {string}
       */
      temporal: 'ok' | 'unreachable';
      /**
       * @description `faulty`: the params files on disk have faults, and the last good state is in use; GET /params names them.
       * @enum {string}
       */
      params: 'ok' | 'faulty';
    };
    Token: {
      /** @description Send it as `Authorization: Bearer <access_token>`. */
      access_token: string;
      /**
       * @description Lifetime in seconds.
       * @enum {number}
       */
      expires_in: 899;
      /**
       * @description The scheme of the Authorization header.
       * @enum {string}
       */
      token_type: 'bearer';
    };
    Me: {
      /** @description The name that the audit records. */
      name: string;
      /**
       * @description `local`: a user of Syncrator. `oidc`: a user of the OIDC issuer. `token`: a program.
       * @enum {string}
       */
      kind: 'local' | 'oidc' | 'token';
      /**
       * @description The role, as of now.
       * @enum {string}
       */
      role: 'viewer' | 'operator' | 'admin';
      /** @description The environments in which the caller may act; null means all. */
      envs: string[] | null;
      /** @description The actions that the caller may start or change; null means all. */
      actions: string[] | null;
      /**
       * Format: date-time
       * @description When the token of a program expires; null means never, or a person.
       */
      expires_at: string | null;
    };
    DryRun: {
      /** @description The action that the job performs. */
      ACTION: string;
      /** @description The name by which the action was requested. */
      ACTION_NAME: string;
      /** @description The environment. */
      ENV: string;
      /** @description Tag of the image. */
      IS_TAG: string;
      /** @description Options of the program, credentials masked. */
      OPTIONS: string;
      /** @description The target. */
      TARGET: string;
      /** @description MAM_MAIN_QUERY, if set. */
      MAM_MAIN_QUERY?: string;
      /**
       * @description Always `dryrun`.
       * @enum {string}
       */
      job_id: 'dryrun';
      /** @description What the runner would start for each step. */
      result: components['schemas']['RenderedStep'][];
      /**
       * @description Always false.
       * @enum {boolean}
       */
      deduplicated: false;
    };
    RenderedStep: {
      /** @description The step, from 0. */
      step: number;
      /** @description The action of the step. */
      action: string;
      /** @description Arguments of the process; with RUNNER=process. */
      argv?: string[];
      /** @description Environment of the process, secrets masked; with RUNNER=process. */
      environment?: {
        [key: string]: string;
      };
      /** @description Manifest of the Kubernetes Job; with RUNNER=kubernetes. */
      manifest?: {
        [key: string]: unknown;
      };
    };
    Started: {
      /** @description The action that the job performs. */
      ACTION: string;
      /** @description The name by which the action was requested. */
      ACTION_NAME: string;
      /** @description The environment. */
      ENV: string;
      /** @description Tag of the image. */
      IS_TAG: string;
      /** @description Options of the program, credentials masked. */
      OPTIONS: string;
      /** @description The target. */
      TARGET: string;
      /** @description MAM_MAIN_QUERY, if set. */
      MAM_MAIN_QUERY?: string;
      /** @description The id of the job. */
      job_id: number;
      /**
       * @description Always `starting`.
       * @enum {string}
       */
      result: 'starting';
      /** @description True if a job with the same parameters was active already. */
      deduplicated: boolean;
    };
    QueuedStart: {
      /**
       * @description Always `queued`: there is no job yet.
       * @enum {string}
       */
      result: 'queued';
      /**
       * @description Always false.
       * @enum {boolean}
       */
      deduplicated: false;
      /** @description The start, the job that it waits for, and how to see and cancel it. */
      msg: string;
      next_start: components['schemas']['NextStart'];
    };
    /** @description The remembered start: the one asked for, or an earlier one that does its work too. */
    NextStart: {
      /** @description Its identity; a later start that takes its place has another one. */
      uid: string;
      /** @description The environment. */
      env: string;
      /** @description The target. */
      target: string;
      /** @description The name of the action. */
      action_name: string;
      /** @description The action that it will perform. */
      action: string;
      /** @description Tag of the image. */
      is_tag: string;
      /** @description Options of the program, credentials masked. */
      options: string;
      /** @description What asked for it. */
      trigger: string;
      /** @description Who asked for it. */
      requested_by: string;
      /**
       * Format: date-time
       * @description When it was asked for.
       */
      requested_at: string;
      /** @description The job that held the target then. */
      behind: number;
    };
    Run: {
      /** @description A declared target. */
      target: string;
      /** @description A declared environment. */
      env: string;
      /** @description The name of the action. */
      action_name: string;
      /** @description The action to perform. */
      action: string;
      /** @description Tag of the image. */
      is_tag: string;
      /** @description Options of the program. */
      options: string;
      /** @description MAM_MAIN_QUERY of the program. */
      mam_main_query?: string;
    };
    Rollback: {
      /** @description Restore the target to its state before this job; by default to before the last sync. */
      before?: number;
      /** @description Restore only these records. All other records, and the watermark, stay as they are. */
      ids?: string[];
      /** @description True: restore only the records that the job `before` changed. */
      only?: boolean;
      /** @description True: change nothing; the job reports the effect as `rollback_preview`. */
      preview?: boolean;
      /** @description The `digest` of a preview: the job fails (preview_changed) if its effect would differ. */
      expect?: string;
    };
    Forget: {
      /** @description The ids of the records. */
      ids: string[];
    };
    AskedStory: {
      /** @description The id of the record. */
      id: string;
    };
    StoryVerdict: {
      /**
       * @description Always true.
       * @enum {boolean}
       */
      told: true;
    };
    ToldStory: {
      /** @description The live value; null if the record is not live. */
      live: {
        /**
         * Format: date-time
         * @description When the record was changed at the source; null if unknown.
         */
        updated_at: string | null;
        /** @description The record, credentials masked; null if its JSON is larger than 64 KiB, or too deep to be shown. */
        record: {
          [key: string]: unknown;
        } | null;
      } | null;
      /** @description Why the record is live although a listing lacks it. */
      kept: {
        /** @description Why. */
        reason: string;
        /**
         * Format: date-time
         * @description Since when.
         */
        since: string;
        /**
         * Format: date-time
         * @description When a job last found it so.
         */
        checked: string;
      } | null;
      /**
       * Format: date-time
       * @description The newest full listing that had the live record.
       */
      last_seen: string | null;
      /** @description With what the history begins. */
      begins: {
        /**
         * Format: date-time
         * @description When.
         */
        at: string;
        /** @description The action of the job. */
        action: string;
        /**
         * Format: uuid
         * @description The uid of the job.
         */
        job_uid: string | null;
        /** @description Why there is nothing before it. */
        why: string | null;
      } | null;
      /** @description Older entries that are not told. */
      older: number;
      /** @description What happened, the newest first. */
      entries: {
        /**
         * Format: date-time
         * @description When.
         */
        at: string;
        /**
         * @description What happened.
         * @enum {string}
         */
        kind: 'added' | 'updated' | 'removed' | 'restored' | 'held' | 'kept';
        /** @description The action of the job; null if it is not known any more. */
        action: string | null;
        /**
         * Format: uuid
         * @description The uid of the job; null if it is not known any more.
         */
        job_uid: string | null;
        /** @description Why the record was held or kept. */
        reason: string | null;
        /** @description Names of the fields that differ. */
        changed: string[] | null;
        /** @description True if another program changed the record afterwards. */
        changed_by_others: boolean;
        /** @description The value before; null if there was none. */
        before: {
          /**
           * Format: date-time
           * @description When the record was changed at the source; null if unknown.
           */
          updated_at: string | null;
          /** @description The record, credentials masked; null if its JSON is larger than 64 KiB, or too deep to be shown. */
          record: {
            [key: string]: unknown;
          } | null;
        } | null;
        /** @description The value after; null if there was none. */
        after: {
          /**
           * Format: date-time
           * @description When the record was changed at the source; null if unknown.
           */
          updated_at: string | null;
          /** @description The record, credentials masked; null if its JSON is larger than 64 KiB, or too deep to be shown. */
          record: {
            [key: string]: unknown;
          } | null;
        } | null;
      }[];
    };
    Story: {
      /** @description The target. */
      target: string;
      /** @description The environment. */
      env: string;
      /** @description The id of the record. */
      id: string;
      /**
       * Format: date-time
       * @description When the story was told; it says nothing of later jobs.
       */
      told_at: string;
      /** @description The job that told it. */
      job_id: number;
      /** @description The value that was live then; null if the record was not. */
      live: components['schemas']['StoryValue'] | null;
      /** @description Why the record is live although a listing lacks it; null if none lacks it. */
      kept: {
        /** @description Why: the words of an entry. */
        reason: string;
        /**
         * Format: date-time
         * @description Since when.
         */
        since: string;
        /**
         * Format: date-time
         * @description When a job last found it so.
         */
        checked: string;
      } | null;
      /**
       * Format: date-time
       * @description Until when an answer keeps the record; null if none does.
       */
      pinned_until: string | null;
      /**
       * Format: date-time
       * @description When a full listing that had the live record was last applied; null if unknown or not live.
       */
      last_seen: string | null;
      /** @description The first job of the kept history. A job that fills an empty table leaves no entries. Null without a history. */
      begins: {
        /**
         * Format: date-time
         * @description When.
         */
        at: string;
        /** @description The action of the job; null if it is not known any more. */
        action: string | null;
        /** @description The job; null if its record was deleted, or no job of ours did it. */
        job_id: number | null;
        /** @description Why there is nothing before; null if KEEP_CHANGES may have deleted older changes. */
        why: string | null;
      } | null;
      /** @description Older entries that are kept in the sink and not shown. */
      older: number;
      /** @description What happened, the newest first: at most 200 entries of the sink, and the newest 100 answers as they are now. */
      entries: components['schemas']['StoryEntry'][];
    };
    StoryValue: {
      /**
       * Format: date-time
       * @description When the record was changed at the source; null if unknown.
       */
      updated_at: string | null;
      /** @description The record, credentials masked; null if its JSON is larger than 64 KiB, or too deep to be shown. */
      record: {
        [key: string]: unknown;
      } | null;
    };
    StoryEntry: {
      /**
       * Format: date-time
       * @description When.
       */
      at: string;
      /**
       * @description `restored`: a rollback brought the record or an earlier value back. `held`: its removal waits since. `kept`: it stayed although a listing lacked it. `approved` and `pinned` are answers of people to a loss that had it.
       * @enum {string}
       */
      kind: 'added' | 'updated' | 'removed' | 'restored' | 'held' | 'kept' | 'approved' | 'pinned';
      /** @description The action of the job; null if it is not known any more. */
      action: string | null;
      /** @description The job; null if its record was deleted, or no job of ours did it. */
      job_id: number | null;
      /** @description Who asked for the job; null without a job. */
      requested_by: string | null;
      /** @description Of `approved` and `pinned`, whose job is the removal if there is one; else null. */
      answer: {
        /** @description Who. */
        by: string;
        /** @description Why. */
        reason: string;
        /** @description The loss. */
        loss_id: number;
        /**
         * Format: date-time
         * @description Of `pinned`: until when this answer keeps the record; else null.
         */
        until: string | null;
      } | null;
      /** @description Of a removal that people approved: who did. */
      approvals: {
        /** @description Who. */
        by: string;
        /** @description Why. */
        reason: string;
        /**
         * Format: date-time
         * @description When.
         */
        at: string;
      }[];
      /** @description Of `held` and `kept`: `held`, `no_evidence`, `answered`, `referenced`, `rolled_back` or `not_ours`. */
      reason: string | null;
      /** @description The fields that differ, at most 100; null unless there is a value before and after. */
      changed: string[] | null;
      /** @description True if the value that was found later is not the one that the job wrote. */
      changed_by_others: boolean;
      /** @description The value before; null if there was none. */
      before: components['schemas']['StoryValue'] | null;
      /** @description The value after; null if there was none. */
      after: components['schemas']['StoryValue'] | null;
    };
    ReportVerdict: {
      /** @description False if a report with this or a later `seq` is stored. */
      accepted: boolean;
    };
    Report: {
      /** @description Number of the report: 1, 2, 3 …; later ones replace earlier ones. */
      seq: number;
      /** @description What the program is doing, in a word. */
      phase: string;
      /** @description Records processed so far. */
      records_done?: number;
      /** @description Records to process; null if unknown. */
      records_total?: number | null;
      /** @description Records added. */
      added?: number;
      /** @description Records updated. */
      updated?: number;
      /** @description Records deleted. */
      deleted?: number;
      /** @description Records set aside because they failed. */
      failed?: number;
      /** @description Where a later attempt continues; any JSON. */
      checkpoint?: unknown;
      /** @description Where the program reads from. */
      data_source?: string;
      /** @description The options that the program runs with. */
      options?: string;
      /** @description The version of the program. */
      version?: string;
      /** @description Where the program writes to; credentials are masked. */
      target_datastore_url?: string;
      /** @description A sentence for the operator. */
      message?: string;
      /** @description What the program is waiting for; null: nothing. */
      waiting_for?: string | null;
      /** @description Warnings for the operator. */
      warnings?: string[];
      /** @description Items or records that failed and were set aside. */
      failed_items?: {
        id: string;
        why: string;
      }[];
      /** @description Live records that the source does not list any more. */
      kept?: number;
      /** @description Those of them whose removal waits for an approval, because too many were missing. */
      held?: number;
      /**
       * Format: date-time
       * @description The time up to which the sink has the source's changes; the next delta starts there. Null: it reads everything.
       */
      watermark?: string | null;
      /**
       * @description `complete`: the listing of the source is proven complete. `unproven`: evidence is missing.
       * @enum {string}
       */
      listing?: 'complete' | 'unproven';
      rollback_preview?: components['schemas']['RollbackPreview'];
      /** @description Counts of the run that are far from those of earlier runs (BASELINE). */
      unusual?: components['schemas']['UnusualFigure'][];
    };
    /** @description The effect that a rollback would have. */
    RollbackPreview: {
      /** @description The job whose changes are undone first, as recorded in the sink. */
      before: {
        /** @description Its id; null if the sink does not know it. */
        job_id: number | null;
        /**
         * Format: uuid
         * @description Its uid; null if the sink does not know it.
         */
        job_uid: string | null;
        /** @description Its action. */
        action: string;
        /**
         * Format: date-time
         * @description When its changes were applied.
         */
        applied_at: string;
      };
      /** @description Records that the rollback would add again. */
      added: number;
      /** @description Records that the rollback would change. */
      updated: number;
      /** @description Records that the rollback would remove. */
      removed: number;
      /** @description Records among them that another program has changed since. */
      changed_by_others: number;
      /** @description Hash of this effect. Pass it to POST /rollback as `expect` to allow no other effect. */
      digest: string;
      /**
       * Format: date-time
       * @description The watermark after the rollback; null: the next delta compares everything.
       */
      watermark: string | null;
      /** @description True if the rollback is limited to some records; all other changes stay. */
      some_records?: boolean;
      /** @description Up to 20 of the records. */
      sample: {
        /** @description The id of the record. */
        id: string;
        /**
         * @description How the rollback would change it.
         * @enum {string}
         */
        change: 'added' | 'updated' | 'removed';
        /** @description The fields that differ. */
        fields: string[];
      }[];
    };
    UnusualFigure: {
      /**
       * @description The counted thing.
       * @enum {string}
       */
      measure: 'removed' | 'added' | 'updated' | 'bytes' | 'seconds';
      /** @description Its count in this run. */
      count: number;
      /** @description The median of earlier runs, scaled to the size of the target now. */
      median: number;
      /** @description The lowest usual count. */
      least: number;
      /** @description The highest usual count. */
      most: number;
      /** @description The latest earlier runs, oldest first. */
      earlier: {
        /**
         * Format: date-time
         * @description When the run was applied.
         */
        at: string;
        /** @description Its count. */
        count: number;
      }[];
    };
    HeldVerdict: {
      /** @description Records of this upload so far. */
      stored: number;
    };
    HeldPage: {
      /** @description Number of the page, from 0. Page 0 begins a new upload and discards an unfinished one. */
      page: number;
      /** @description True on the last page: the uploaded set then replaces the waiting one. */
      last: boolean;
      /** @description Live records of the target. */
      live: number;
      /**
       * @description Why this job has held records, if it has held further ones; `over_threshold` by default.
       * @enum {string}
       */
      reason?: 'over_threshold' | 'anomaly';
      /** @description Held records, in the byte order of their ids over all pages. */
      records: {
        /** @description The id of the record. */
        id: string;
        /**
         * Format: date-time
         * @description Since when the listing lacks it.
         */
        missing_since: string;
        /**
         * Format: date-time
         * @description The last full listing that had it; null if unknown.
         */
        last_seen: string | null;
        /**
         * Format: date-time
         * @description When the record was last changed; null if unknown.
         */
        updated_at: string | null;
        /** @description The live record; null if its JSON is larger than 64 KiB, or too deep to be shown. */
        record: {
          [key: string]: unknown;
        } | null;
      }[];
    };
    ApprovedRemovals: {
      /** @description The ids. */
      ids: string[];
      /** @description The `after` of the next page; null on the last one. */
      next: string | null;
    };
    PlanVerdict: {
      /** @description Records of this upload so far. */
      stored: number;
    };
    PlanPage: {
      /** @description Number of the page, from 0. Page 0 begins a new upload and discards an unfinished one. */
      page: number;
      /** @description True on the last page: the upload is then the plan of its job. */
      last: boolean;
      /** @description Records in the order of their kinds, and of each kind in the byte order of their ids. */
      records: {
        /** @description The id of the record. */
        id: string;
        /**
         * @description What applying the plan would do with it.
         * @enum {string}
         */
        kind: 'added' | 'updated' | 'removed' | 'held';
        /** @description The live record; null if there is none, or its JSON is larger than 64 KiB. */
        before: {
          [key: string]: unknown;
        } | null;
        /** @description What it would become; null if it would go, or its JSON is larger than 64 KiB. */
        after: {
          [key: string]: unknown;
        } | null;
      }[];
      summary?: components['schemas']['PlanSummary'];
    };
    /** @description On the last page: the whole counts, also of records not uploaded. */
    PlanSummary: {
      /**
       * @description The planned action.
       * @enum {string}
       */
      of: 'sync' | 'delta' | 'delete';
      /** @description Identifies everything that applying the plan would do. */
      digest: string;
      /** @description Live records of the target. */
      live: number;
      /** @description Records that were read from the source. */
      listed: number;
      /** @description Records that would be added. */
      added: number;
      /** @description Records that would change. */
      updated: number;
      /** @description Records that would be removed. */
      removed: number;
      /** @description Records that would be held: their removal waits for an answer. */
      held: number;
      /** @description Records that would stay although the source lacks them, for any reason. */
      kept: number;
      /**
       * Format: date-time
       * @description Where the next delta would then read from; null: it compares everything.
       */
      watermark: string | null;
    };
    ReportPoint: {
      /** @description The step, from 0. */
      step: number;
      /** @description The attempt of the step, from 1. */
      attempt: number;
      /**
       * Format: date-time
       * @description When the report arrived.
       */
      at: string;
      /** @description The phase that the program reported. */
      phase: string;
      /** @description Records processed so far; null if not reported. */
      records_done: number | null;
      /** @description Records to process; null if unknown. */
      records_total: number | null;
    };
    Job: {
      /** @description The id of the job. */
      id: number;
      /**
       * Format: uuid
       * @description Unique also across restored databases.
       */
      uid: string;
      /** @description The target of the job. */
      target: string;
      /** @description The environment of the job. */
      env: string;
      /** @description The ACTION_NAME by which it was requested. */
      job_type: string;
      /** @description The ACTION that it performs. */
      action: string;
      /**
       * @description The status of the job.
       * @enum {string}
       */
      status:
        | 'queued'
        | 'waiting'
        | 'starting'
        | 'running'
        | 'cancelling'
        | 'completed'
        | 'failed'
        | 'deleted';
      /** @description Code of the reason for the status; null if there is none. */
      status_reason: string | null;
      /** @description The reason for the status in words. Running: what the program is waiting for. Ended: what could not be cleaned up. */
      status_detail: string | null;
      /** @description The last status that an external executor reported. */
      phase: string | null;
      /** @description Purpose of the job, from the request or from its external executor. */
      description: string | null;
      /** @description The id of `sync_job`. */
      sync_id: number | null;
      /** @description The sync job of the last step that has one. */
      sync_job: components['schemas']['SyncJob'] | null;
      /** @description All attempts of all steps, in order. */
      steps: components['schemas']['JobStep'][];
      /** @description Progress of the newest attempt, with counts summed over all steps. */
      progress: components['schemas']['Progress'] | null;
      /** @description Warnings for the operator; the job may have completed nevertheless. */
      warnings: string[];
      /** @description Items or records that failed and were set aside. A resume processes only failed items. */
      failed_items: components['schemas']['FailedItem'][];
      /** @description Live records that the source does not list any more; null if not reported. */
      kept: number | null;
      /** @description Those of them whose removal waits for an approval (GET /losses), because too many were missing; null if not reported. */
      held: number | null;
      /**
       * Format: date-time
       * @description The time up to which the sink has the source's changes; the next delta starts there. Null: it reads everything, or the job reported none.
       */
      watermark: string | null;
      /**
       * @description `complete`: the source's listing is proven complete. `unproven`: evidence is missing. Null if no listing was read.
       * @enum {string|null}
       */
      listing: 'complete' | 'unproven' | null;
      /** @description The effect of a rollback, if the job previews one. */
      rollback_preview: components['schemas']['RollbackPreview'] | null;
      /** @description Counts of the run that are far from those of earlier runs (BASELINE). */
      unusual: components['schemas']['UnusualFigure'][];
      /** @description The plan that it has made (its own id) or that it applies (GET /plans/{id}); else null. */
      plan_id: number | null;
      /** @description For a rollback: the job before which it restores the target. Null for the last sync, or if that job was deleted. */
      rollback_before: number | null;
      /** @description Why the job failed; null if it did not. */
      diagnosis: components['schemas']['Diagnosis'] | null;
      /** @description True while a running job is silent or makes no progress for longer than its params file allows. */
      stalled: boolean;
      /**
       * @description `silence`: no report for STALLED_AFTER (30 s by default). `no_progress`: unchanged reports for NO_PROGRESS_AFTER (30 min by default), while the program waits for nothing.
       * @enum {string|null}
       */
      stalled_by: 'silence' | 'no_progress' | null;
      /** @description Parameters of the request. */
      parameters: {
        /** @description ACTION_NAME. */
        action_name: string;
        /** @description ACTION. */
        action: string;
        /** @description Tag of the image. */
        is_tag: string;
        /** @description Options of the program, credentials masked. */
        options: string;
        /** @description MAM_MAIN_QUERY; null if not set. */
        mam_main_query: string | null;
        description?: string;
        /** @enum {string} */
        releaseStatus?: 'DRAFT' | 'PENDING_RELEASE' | 'PENDING_DELETE';
        bumpManifesto?: {
          version: string;
          description: string;
          releaseTime: number;
          languageCode: string;
          updateType: string | null;
          dataStructureUpdates: {
            name: string;
            description: string;
            /** @enum {string} */
            operation:
              | 'ADD'
              | 'CHANGE'
              | 'PATCH_METADATA'
              | 'SET_STATUS'
              | 'DELETE_DRAFT'
              | 'REMOVE'
              | 'ROLLBACK_REMOVE'
              | 'DELETE_ARCHIVE';
            /** @enum {string} */
            releaseStatus: 'DRAFT' | 'PENDING_RELEASE' | 'PENDING_DELETE';
          }[];
        };
        bumpFromVersion?: string;
        bumpToVersion?: string;
      };
      /**
       * @description Where the job runs.
       * @enum {string}
       */
      runner: 'kubernetes' | 'process' | 'external';
      /**
       * @description How the job was requested.
       * @enum {string}
       */
      trigger: 'api' | 'schedule' | 'cli' | 'batch' | 'hook' | 'rollback' | 'resume';
      /** @description The user, program or schedule that requested the job. */
      requested_by: string;
      /** @description The failed job that this job resumes; null if none. */
      resumes: number | null;
      /**
       * Format: date-time
       * @description When a cancel was requested; null if none was.
       */
      cancel_requested_at: string | null;
      /** @description Who requested the cancel; null if none was requested. */
      cancel_requested_by: string | null;
      /** @description The workflow in Temporal's Web UI; null without TEMPORAL_UI_URL. */
      temporal_url: string | null;
      /**
       * Format: date-time
       * @description When the job was requested.
       */
      created_at: string;
      /**
       * Format: date-time
       * @description When the job last changed.
       */
      updated_at: string;
      /**
       * Format: date-time
       * @description When its first program started; null if none has.
       */
      started_at: string | null;
      /**
       * Format: date-time
       * @description When the job ended; null while it is active.
       */
      finished_at: string | null;
      /** @description Path of its log. */
      log: string;
      /** @description Grows with every change of any job. */
      version: number;
    };
    SyncJob: {
      /** @description The id of the record. */
      id: number;
      /**
       * Format: date-time
       * @description When the run started.
       */
      start_time: string;
      /**
       * Format: date-time
       * @description When the run ended; null while it is active.
       */
      end_time: string | null;
      /** @description Where the program reads from. */
      data_source: string | null;
      /** @description The action of the run. */
      type: string;
      /** @description Records processed so far. */
      total_records: number;
      /** @description Whether the run succeeded; null while it is active. */
      completed: boolean | null;
      /** @description Options of the program, credentials masked. */
      options: string | null;
      /** @description Version of the program. */
      version: string | null;
      /** @description Where the program writes to, credentials masked. */
      target_datastore_url: string | null;
      /** @description The job of Syncrator; null for a run started outside of it. */
      job_id: number | null;
      /** @description True for a run started outside of Syncrator. */
      outside: boolean;
    };
    JobStep: {
      /** @description The step, from 0. */
      step: number;
      /** @description The attempt of the step, from 1. */
      attempt: number;
      /** @description The action of the step. */
      action: string;
      /** @description Name of the Kubernetes Job or the process. */
      name: string;
      /**
       * Format: date-time
       * @description When the attempt was created.
       */
      created_at: string;
      /**
       * Format: date-time
       * @description When its program started; null if it has not.
       */
      started_at: string | null;
      /**
       * Format: date-time
       * @description When it ended; null while it is active.
       */
      ended_at: string | null;
      /**
       * @description How it ended; null while it is active.
       * @enum {string|null}
       */
      outcome: 'completed' | 'failed' | 'cancelled' | null;
      /** @description Why it failed; null if it did not. */
      diagnosis: components['schemas']['Diagnosis'] | null;
      /** @description Its newest report; null before the first one. */
      progress: components['schemas']['Progress'] | null;
      /** @description The record of its program; null before it reports. */
      sync_job: components['schemas']['SyncJob'] | null;
      /** @description Path of its log. */
      log: string;
      /** @description Bytes of its log so far, including bytes omitted from a long log. */
      log_bytes: number;
      /**
       * @description `end_missing`: its end could not be read. `removed`: it was deleted after KEEP_LOGS.
       * @enum {string}
       */
      log_state: 'growing' | 'complete' | 'end_missing' | 'removed';
    };
    Diagnosis: {
      /** @description A stable identifier of the cause, for programs. */
      code: string;
      /** @description The cause in one sentence. */
      summary: string;
      /** @description The evidence: messages of the program, Kubernetes or Postgres. */
      detail: string;
      /** @description The fix. */
      what_to_do: string;
    };
    Progress: {
      /** @description The phase that the program reported. */
      phase: string;
      /** @description A sentence of the program for the operator. */
      message: string | null;
      /** @description Records processed so far. */
      records_done: number | null;
      /** @description Records to process; null if unknown. */
      records_total: number | null;
      /** @description Records added. */
      added: number | null;
      /** @description Records updated. */
      updated: number | null;
      /** @description Records deleted. */
      deleted: number | null;
      /** @description Records set aside because they failed. */
      failed: number | null;
      /** @description records_done of records_total, in percent. */
      percent: number | null;
      /** @description Records per second in this attempt; null if unknown. */
      rate: number | null;
      /**
       * Format: date-time
       * @description When the report arrived.
       */
      reported_at: string;
    };
    FailedItem: {
      /** @description The id of the item or record. */
      id: string;
      /** @description Why it failed. */
      why: string;
    };
    Resumed: {
      /** @description The failed job. */
      resumes: number;
      /** @description The new job; null if the resume was refused. */
      job_id: number | null;
      /** @description The error code of a refused resume; null if it was accepted. */
      code: string | null;
      /** @description The result in words. */
      msg: string;
    }[];
    BatchAnswer: {
      /**
       * @description Whether the job was created; `QUEUED`: remembered until the target is free (QUEUE=one).
       * @enum {string}
       */
      status: 'CREATED' | 'QUEUED' | 'FAILED';
      /** @description `OK`, the job that it waits for, or the reason for the refusal. */
      msg: string;
      /** @description The id of a created job. */
      job_id?: number;
    }[];
    Batch: {
      /** @description Each with operation (a declared ACTION_NAME), target, env (required if more than one declares the operation) and the parameters of the operation. */
      jobs: unknown[];
    };
    Loss: {
      /** @description The id of the loss. */
      id: number;
      /** @description The environment. */
      env: string;
      /** @description The target. */
      target: string;
      /**
       * @description `waiting`: records wait for an answer. `resolved`: none is held any more.
       * @enum {string}
       */
      status: 'waiting' | 'resolved';
      /**
       * @description Why the latest of them are held. `over_threshold`: more were missing than the guard allows. `anomaly`: fewer, but more than earlier runs removed (BASELINE=hold).
       * @enum {string}
       */
      reason: 'over_threshold' | 'anomaly';
      /** @description The job that told the set last. */
      job_id: number;
      /** @description Who asked for that job, and may not approve. A removal or rollback leaves it as it was. */
      started_by: string;
      /** @description Records that wait, without the pinned ones. */
      count: number;
      /** @description Live records of the target. */
      live: number;
      /** @description `count` in percent of `live`, with one decimal. */
      percent: number;
      /** @description Held records that were answered with keep: they are not proposed until their time is over. */
      pinned: number;
      /** @description Identifies exactly the records that wait: the first 32 digits of the SHA-256 of their ids in byte order, each as a JSON string and a line feed. */
      digest: string;
      /**
       * Format: date-time
       * @description When the first of the records was held.
       */
      born_at: string;
      /**
       * Format: date-time
       * @description When the set last changed.
       */
      changed_at: string;
      /**
       * Format: date-time
       * @description When the loss becomes overdue. Nothing is removed by that.
       */
      expires_at: string;
      /** @description True if it waits although that time is over. */
      overdue: boolean;
      /** @description The approvals of exactly this set so far. */
      approvals: components['schemas']['LossApproval'][];
      /** @description Approvals that start the removal: APPROVALS of the params file of the sync. */
      approvals_needed: number;
      /** @description The job that removes the records: the active one, or the one that resolved the loss. Else null. */
      removal_job_id: number | null;
      /**
       * Format: date-time
       * @description When it was resolved; null while it waits.
       */
      resolved_at: string | null;
    };
    LossApproval: {
      /** @description Who approved. */
      by: string;
      /** @description Why. */
      reason: string;
      /**
       * Format: date-time
       * @description When.
       */
      at: string;
    };
    LossRecord: {
      /** @description The id of the record. */
      id: string;
      /**
       * Format: date-time
       * @description Since when the listing lacks it.
       */
      missing_since: string;
      /**
       * Format: date-time
       * @description The last full listing that had it; null if unknown.
       */
      last_seen: string | null;
      /**
       * Format: date-time
       * @description When the record was last changed; null if unknown.
       */
      updated_at: string | null;
      /** @description The live record; null if its JSON is larger than 64 KiB, too deep to be shown, or forgotten. */
      record: {
        [key: string]: unknown;
      } | null;
      /**
       * Format: date-time
       * @description Until when it is kept and not proposed; null if it waits for an answer.
       */
      pinned_until: string | null;
    };
    Approve: {
      /** @description The digest of the loss as you have seen it. */
      digest: string;
      /** @description Why; the audit keeps it. */
      reason: string;
    };
    Keep: {
      /** @description The digest of the loss as you have seen it. */
      digest: string;
      /** @description Why; the audit keeps it. */
      reason: string;
      /** @description The records to keep. */
      ids?: string[];
      /**
       * @description Keep all records that wait, instead of `ids`.
       * @enum {boolean}
       */
      all?: true;
      /** @description Days for which they are not proposed again; 30 by default. */
      days?: number;
    };
    Plan: {
      /** @description The id of the plan: that of the job that made it. */
      id: number;
      /** @description The environment. */
      env: string;
      /** @description The target. */
      target: string;
      /** @description The planned action, by its name in the params file. */
      action: string;
      /**
       * @description What the planned action does.
       * @enum {string}
       */
      of: 'sync' | 'delta' | 'delete';
      /**
       * @description `ready`: it can be applied. `applied`: a job has done so. `stale`: another job of the target has completed since. `expired`: it is older than 7 days.
       * @enum {string}
       */
      state: 'ready' | 'applied' | 'stale' | 'expired';
      /** @description Identifies everything that applying the plan would do. */
      digest: string;
      /** @description Live records of the target. */
      live: number;
      /** @description Records that were read from the source. */
      listed: number;
      /** @description Records that it adds. */
      added: number;
      /** @description Records that it changes. */
      updated: number;
      /** @description Records that it removes. */
      removed: number;
      /** @description Records that it holds: their removal waits for an answer. */
      held: number;
      /** @description Records that stay although the source lacks them, for any reason: held ones are among them. */
      kept: number;
      /**
       * Format: date-time
       * @description Where the next delta then reads from; null: it compares everything.
       */
      watermark: string | null;
      shown: components['schemas']['ShownCounts'];
      /** @description Who asked for the plan. */
      started_by: string;
      /**
       * Format: date-time
       * @description When it was made.
       */
      born_at: string;
      /**
       * Format: date-time
       * @description Until when it can be applied and its records are shown.
       */
      expires_at: string;
      /** @description The job that has applied it; else null. */
      applied_by: number | null;
      /** @description The job that has made it stale; else null. */
      replaced_by: number | null;
    };
    /** @description Records that can be looked at: fewer than the counts if there are too many to upload. */
    ShownCounts: {
      /** @description Added records. */
      added: number;
      /** @description Updated records. */
      updated: number;
      /** @description Removed records. */
      removed: number;
      /** @description Held records. */
      held: number;
    };
    PlanRecord: {
      /**
       * @description What applying the plan does with it.
       * @enum {string}
       */
      kind: 'added' | 'updated' | 'removed' | 'held';
      /** @description The id of the record. */
      id: string;
      /** @description The live record. Null if there is none; also if it is larger than 64 KiB, too deep, or forgotten. */
      before: {
        [key: string]: unknown;
      } | null;
      /** @description What it becomes. Null if it goes; also if it is larger, too deep, or forgotten. */
      after: {
        [key: string]: unknown;
      } | null;
      /** @description Of an updated record: the fields that differ, sorted; null if its contents are not shown. */
      changed: string[] | null;
    };
    Apply: {
      /** @description The digest of the plan as you have seen it, or its beginning. */
      digest: string;
    };
    Target: {
      /** @description The name of the target. */
      name: string;
      /** @description Environments of the target, by name. */
      environments: {
        /** @description The environment. */
        env: string;
        actions: {
          /** @description The ACTION_NAME. */
          action: string;
          /** @description Path that starts it; null if only POST /jobs does. */
          path: string | null;
          /** @description Id of its schedule; null if it has none. */
          schedule: string | null;
        }[];
        /**
         * Format: date-time
         * @description When a job last completed; null if none did.
         */
        last_success_at: string | null;
        /** @description The job that last completed; rollbacks, their previews and take-overs do not count. */
        last_success_job_id: number | null;
        /**
         * Format: date-time
         * @description The time up to which the sink has the source's changes; the next delta starts there. Null: it reads everything, or no job reported one.
         */
        watermark: string | null;
        /**
         * @description `complete`: the last listing of the source is proven complete. `unproven`: evidence is missing. Null if no job reported one.
         * @enum {string|null}
         */
        listing: 'complete' | 'unproven' | null;
        /**
         * Format: date-time
         * @description Removals are up to date as of then: when the newest job with a proven listing began to read, of those before the first record that is held now was missed. Null if no job listed everything since the last rollback.
         */
        removals_fresh_at: string | null;
        /** @description The job whose listing that is; of an applied plan, the job that planned. */
        removals_listed_by: number | null;
        /** @description The job that occupies the target; null if none does. */
        active_job: components['schemas']['JobReference'] | null;
        /** @description The newest job; null if there was none. */
        last_job: components['schemas']['JobReference'] | null;
        /** @description The start that is remembered until the target is free (QUEUE=one); null if none is. */
        next_start: components['schemas']['NextStart'] | null;
      }[];
    };
    JobReference: {
      /** @description The id of the job. */
      id: number;
      /**
       * @description Its status.
       * @enum {string}
       */
      status:
        | 'queued'
        | 'waiting'
        | 'starting'
        | 'running'
        | 'cancelling'
        | 'completed'
        | 'failed'
        | 'deleted';
    };
    Maintenance: {
      /** @description Why; shown on the page. */
      msg: string;
      /** @description True: no job starts. */
      paused: boolean;
      /**
       * Format: date-time
       * @description When the flag was set.
       */
      timestamp: string;
      /** @description Who set the flag. */
      set_by: string;
      /**
       * @description `PAUSING`: paused, and some jobs still run.
       * @enum {string}
       */
      engine: 'RUNNING' | 'PAUSING' | 'PAUSED';
      /** @description Jobs that still run. */
      running_jobs: number;
    };
    MaintenanceEntry: {
      /** @description Why; shown on the page. */
      msg: string;
      /** @description True: no job starts. */
      paused: boolean;
      /**
       * Format: date-time
       * @description When the flag was set.
       */
      timestamp: string;
      /** @description Who set the flag. */
      set_by: string;
    };
    Params: {
      /** @description Number of params files in use. */
      files: number;
      /**
       * Format: date-time
       * @description When the files in use were last read without a fault.
       */
      loaded_at: string;
      /** @description Faults of the files on disk. While there are any, the last good state stays in use. */
      faults: {
        /** @description The file, or the folder for a fault of all files together. */
        file: string;
        /** @description The line; null if the fault concerns none. */
        line: number | null;
        /** @description The key; null if the fault concerns none. */
        key: string | null;
        /** @description The reason. */
        fault: string;
      }[];
    };
    Reloaded: {
      /** @description Targets that the files in use before did not declare. */
      added: {
        env: string;
        target: string;
      }[];
      /** @description Targets whose files mean something else than before. */
      changed: {
        env: string;
        target: string;
      }[];
      /** @description Targets that no file declares any more. */
      removed: {
        env: string;
        target: string;
      }[];
      /** @description Number of params files in use. */
      files: number;
      /**
       * Format: date-time
       * @description When they were read.
       */
      loaded_at: string;
    };
    Schedules: {
      /**
       * @description `unreachable`: the fields that come from Temporal are null.
       * @enum {string}
       */
      temporal: 'ok' | 'unreachable';
      /** @description By id. */
      schedules: components['schemas']['Schedule'][];
    };
    Schedule: {
      /** @description The id: <env>.<target>.<action>. */
      id: string;
      /** @description The environment of its jobs. */
      env: string;
      /** @description The target of its jobs. */
      target: string;
      /** @description The ACTION_NAME of its params file. */
      action: string;
      /**
       * @description MODE: it starts the action, or a plan of it.
       * @enum {string}
       */
      mode: 'apply' | 'plan';
      /** @description SCHEDULE of its params file. In a cron expression both day of month and day of week must match. */
      schedule: string;
      /** @description TIMEZONE of its params file. */
      timezone: string;
      /** @description Whether it is paused; null if Temporal is unreachable. */
      paused: boolean | null;
      /** @description Who paused or resumed it and why; null if unknown. */
      note: string | null;
      /** @description Temporal's reason for rejecting the schedule, which then does not fire. Null if Temporal accepts it. */
      refused: string | null;
      /** @description The next firings; null if Temporal is unreachable. */
      next: string[] | null;
      /** @description When it should have fired last, newest first, whether it did or not. */
      previous: string[];
      /** @description Local times up to the last of `next` that a daylight-saving change skips or repeats; null if unknown. */
      clock_changes:
        | {
            /** @description The local time in the time zone. */
            local_time: string;
            /**
             * @description `gap`: the local time does not exist that day. `overlap`: it exists twice.
             * @enum {string}
             */
            kind: 'gap' | 'overlap';
            /** @description When the schedule fires instead. */
            fires: string[];
          }[]
        | null;
      /** @description Firings that Temporal has dropped since the schedule was created; null if unknown. */
      left_out: {
        /** @description Missed because Temporal was down for longer than the ten minutes that it catches up. */
        too_late: number;
        /** @description Dropped because an earlier firing was delayed by the same outage and fired instead. */
        overlapping: number;
      } | null;
      /** @description The last five firings, newest first. */
      last_firings: components['schemas']['ScheduleFiring'][];
    };
    ScheduleFiring: {
      /**
       * Format: date-time
       * @description The time it fired for.
       */
      nominal_time: string;
      /**
       * @description How it ended.
       * @enum {string}
       */
      outcome: 'started' | 'deduplicated' | 'skipped' | 'superseded' | 'queued';
      /** @description The job that it started or found; null if none. */
      job_id: number | null;
      /** @description Why it started no job; null if it did. */
      detail: string | null;
    };
    SwitchedSchedule: {
      /** @description The schedule. */
      id: string;
      /** @description Whether it is paused now. */
      paused: boolean;
    };
    AuditEntry: {
      /** @description The id of the entry. */
      id: number;
      /**
       * Format: date-time
       * @description When it happened.
       */
      at: string;
      /** @description Who called: a user, `oidc:<sub> (<name>)`, `token:<name> (<id>)`, a command or component of Syncrator, or `nobody known`. */
      principal: string;
      /** @description The operation, such as `start` or `cancel`. */
      verb: string;
      /** @description The object of the operation, such as `job 7`. */
      object: string;
      /** @description The error code of a denied request; null if it was carried out. */
      refused: string | null;
      /** @description The reason that the caller gave: X-Reason, or a message or note of the body. */
      reason: string | null;
      /** @description The address of the client as TRUSTED_PROXIES report it, else of the peer. */
      address: string | null;
      /** @description The X-Request-Id of the answer; the log has the same. */
      request_id: string | null;
      /** @description The X-Request-Id of the request; not verified. */
      client_request_id: string | null;
      /** @description More facts, depending on `verb`. */
      detail: {
        [key: string]: unknown;
      } | null;
    };
    ExecutorsWord: {
      /** @description The phase of the executor, in its own words; `completed` and `failed` end the job. */
      status?: string;
      /** @description Purpose of the job; with `failed`, the reason. */
      description?: string;
      /** @description A line for the log of the job. */
      log?: string;
    };
    ImportableDataset: {
      /** @description The name of the file without `.tar`. */
      datasetName: string;
      /** @description Whether it contains `<datasetName>.json`. */
      hasMetadata: boolean;
      /** @description Whether it contains `chunks`. */
      hasData: boolean;
      /** @description Whether it lies in `archive`, because it has been imported. */
      isArchived: boolean;
    };
    DatasetRemoved: {
      /** @description Confirmation. */
      message: string;
    };
    HookAnswer: {
      /**
       * @description `wanted`: a job will import the item.
       * @enum {string}
       */
      result: 'wanted' | 'ignored';
      /** @description The id of the project; null if the hook names none. */
      item: string | null;
      /** @description Why the hook was ignored; null if it was not. */
      why: string | null;
    };
    AccountSynced: {
      /** @description What was done, in words. */
      data: string;
      /**
       * Format: date-time
       * @description When the job began; UTC, with microseconds.
       */
      date: string;
      /**
       * @description Always `ok`.
       * @enum {string}
       */
      response: 'ok';
    };
    AccountPending: {
      /** @description The state of the job, in words. */
      data: string;
      /**
       * Format: date-time
       * @description When the job began; UTC, with microseconds.
       */
      date: string;
      /**
       * @description Always `pending`.
       * @enum {string}
       */
      response: 'pending';
    };
    AccountNotSynced: {
      /** @description Why the job did not complete. */
      data: {
        /**
         * @description Always true.
         * @enum {boolean}
         */
        __exception__: true;
        /** @description Always null. */
        id: null;
        /** @description A failure of the API: timeout, nxdomain, econnrefused, unreachable, closed, tls, unauthorized, rate_limited, http_error or bad_answer. Otherwise `cancelled`, or the code of the diagnosis. */
        reason: string;
      };
      /**
       * Format: date-time
       * @description When the job began; UTC, with microseconds.
       */
      date: string;
      /**
       * @description Always `error`.
       * @enum {string}
       */
      response: 'error';
    };
    AccountHistory: {
      /** @description Results, oldest first. */
      data: components['schemas']['AccountEntry'][];
    };
    AccountEntry: {
      /** @description What was done, or why the job did not complete. */
      data:
        | string
        | {
            /**
             * @description Always true.
             * @enum {boolean}
             */
            __exception__: true;
            /** @description Always null. */
            id: null;
            /** @description A failure of the API: timeout, nxdomain, econnrefused, unreachable, closed, tls, unauthorized, rate_limited, http_error or bad_answer. Otherwise `cancelled`, or the code of the diagnosis. */
            reason: string;
          };
      /**
       * Format: date-time
       * @description When the job began; UTC, with microseconds.
       */
      date: string;
      /**
       * @description Whether the job completed.
       * @enum {string}
       */
      response: 'ok' | 'error';
    };
  };
  responses: never;
  parameters: never;
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
