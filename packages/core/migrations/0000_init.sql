CREATE TABLE "blobs" (
	"hash" text PRIMARY KEY NOT NULL,
	"size_bytes" bigint NOT NULL,
	"kind" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "datasets" (
	"id" text PRIMARY KEY NOT NULL,
	"project_id" text NOT NULL,
	"node_id" text NOT NULL,
	"name" text NOT NULL,
	"schema" jsonb NOT NULL,
	"train_examples" bigint NOT NULL,
	"test_examples" bigint NOT NULL,
	"content_hash" text NOT NULL,
	"registered_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "datasets_node_name" UNIQUE("node_id","name")
);
--> statement-breakpoint
CREATE TABLE "events" (
	"run_id" text NOT NULL,
	"number" bigint NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"type" text NOT NULL,
	"payload" jsonb NOT NULL,
	CONSTRAINT "events_run_id_number_pk" PRIMARY KEY("run_id","number")
);
--> statement-breakpoint
CREATE TABLE "join_tokens" (
	"token_hash" text PRIMARY KEY NOT NULL,
	"project_id" text NOT NULL,
	"approved" boolean NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone,
	"used_by_node" text
);
--> statement-breakpoint
CREATE TABLE "models" (
	"id" text PRIMARY KEY NOT NULL,
	"project_id" text NOT NULL,
	"run_id" text NOT NULL,
	"name" text NOT NULL,
	"hash" text NOT NULL,
	"size_bytes" bigint NOT NULL,
	"card" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "models_run" UNIQUE("run_id")
);
--> statement-breakpoint
CREATE TABLE "nodes" (
	"id" text PRIMARY KEY NOT NULL,
	"project_id" text NOT NULL,
	"name" text NOT NULL,
	"public_key" "bytea" NOT NULL,
	"status" text NOT NULL,
	"kernel_build" text,
	"software_version" text,
	"joined_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_seen_at" timestamp with time zone,
	CONSTRAINT "nodes_status" CHECK ("nodes"."status" in ('pending', 'approved', 'removed'))
);
--> statement-breakpoint
CREATE TABLE "projects" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "projects_name" UNIQUE("name")
);
--> statement-breakpoint
CREATE TABLE "rounds" (
	"run_id" text NOT NULL,
	"round" integer NOT NULL,
	"attempt" integer NOT NULL,
	"state" text NOT NULL,
	"base_model_hash" text NOT NULL,
	"base_state_hash" text,
	"cohort" jsonb NOT NULL,
	"accepted" jsonb,
	"opened_at" timestamp with time zone DEFAULT now() NOT NULL,
	"deadline_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone,
	"committed_at" timestamp with time zone,
	"sum_hash" text,
	"model_hash" text,
	"server_state_hash" text,
	"fit_metrics" jsonb,
	"evaluate_metrics" jsonb,
	"bytes_up" bigint DEFAULT 0 NOT NULL,
	"bytes_down" bigint DEFAULT 0 NOT NULL,
	"saturated" bigint DEFAULT 0 NOT NULL,
	"transcript" jsonb,
	CONSTRAINT "rounds_run_id_round_attempt_pk" PRIMARY KEY("run_id","round","attempt"),
	CONSTRAINT "rounds_state" CHECK ("rounds"."state" in ('open', 'closed', 'summed', 'stepped', 'committed', 'abandoned'))
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"id" text PRIMARY KEY NOT NULL,
	"project_id" text NOT NULL,
	"name" text NOT NULL,
	"spec" jsonb NOT NULL,
	"spec_hash" text NOT NULL,
	"plan" jsonb NOT NULL,
	"seed" bigint NOT NULL,
	"state" text NOT NULL,
	"outcome" text,
	"reason" text,
	"rounds" integer NOT NULL,
	"current_round" integer DEFAULT 0 NOT NULL,
	"initial_model_hash" text,
	"model_hash" text,
	"server_state_hash" text,
	"stop_requested" boolean DEFAULT false NOT NULL,
	"idempotency_key" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone,
	CONSTRAINT "runs_idempotency_key" UNIQUE("idempotency_key"),
	CONSTRAINT "runs_state" CHECK ("runs"."state" in ('pending', 'starting', 'running', 'finished')),
	CONSTRAINT "runs_outcome" CHECK ("runs"."outcome" in ('completed', 'failed', 'stopped')),
	CONSTRAINT "runs_finished" CHECK (("runs"."state" = 'finished') = ("runs"."outcome" is not null))
);
--> statement-breakpoint
CREATE TABLE "settings" (
	"key" text PRIMARY KEY NOT NULL,
	"value" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tasks" (
	"id" text PRIMARY KEY NOT NULL,
	"run_id" text NOT NULL,
	"round" integer NOT NULL,
	"attempt" integer NOT NULL,
	"kind" text NOT NULL,
	"node_id" text NOT NULL,
	"party" text NOT NULL,
	"state" text NOT NULL,
	"config" jsonb NOT NULL,
	"base_model_hash" text NOT NULL,
	"deadline_at" timestamp with time zone NOT NULL,
	"blob_hash" text,
	"blob_size_bytes" bigint,
	"weight" bigint,
	"metrics" jsonb,
	"signature" "bytea",
	"reason_code" text,
	"reason" text,
	"bytes_up" bigint DEFAULT 0 NOT NULL,
	"bytes_down" bigint DEFAULT 0 NOT NULL,
	"duration_ms" integer,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"delivered_at" timestamp with time zone,
	"reported_at" timestamp with time zone,
	CONSTRAINT "tasks_party" UNIQUE("run_id","round","attempt","kind","party"),
	CONSTRAINT "tasks_kind" CHECK ("tasks"."kind" in ('fit', 'evaluate')),
	CONSTRAINT "tasks_state" CHECK ("tasks"."state" in ('waiting', 'delivered', 'accepted', 'rejected', 'failed', 'expired'))
);
--> statement-breakpoint
ALTER TABLE "datasets" ADD CONSTRAINT "datasets_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "datasets" ADD CONSTRAINT "datasets_node_id_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "join_tokens" ADD CONSTRAINT "join_tokens_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "models" ADD CONSTRAINT "models_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "models" ADD CONSTRAINT "models_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "nodes" ADD CONSTRAINT "nodes_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "rounds" ADD CONSTRAINT "rounds_run_id_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "runs" ADD CONSTRAINT "runs_project_id_projects_id_fk" FOREIGN KEY ("project_id") REFERENCES "public"."projects"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_node_id_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."nodes"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_round" FOREIGN KEY ("run_id","round","attempt") REFERENCES "public"."rounds"("run_id","round","attempt") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "datasets_project_name" ON "datasets" USING btree ("project_id","name");--> statement-breakpoint
CREATE INDEX "join_tokens_project" ON "join_tokens" USING btree ("project_id");--> statement-breakpoint
CREATE INDEX "models_project" ON "models" USING btree ("project_id","created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "nodes_name" ON "nodes" USING btree ("project_id","name") WHERE status <> 'removed';--> statement-breakpoint
CREATE INDEX "runs_project" ON "runs" USING btree ("project_id","created_at");--> statement-breakpoint
CREATE INDEX "runs_unfinished" ON "runs" USING btree ("state") WHERE state <> 'finished';--> statement-breakpoint
CREATE INDEX "tasks_open" ON "tasks" USING btree ("node_id") WHERE state in ('waiting', 'delivered');