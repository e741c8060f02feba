CREATE TABLE "sum_contributions" (
	"task_id" text NOT NULL,
	"step" text NOT NULL,
	"message" "bytea" NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sum_contributions_task_id_step_pk" PRIMARY KEY("task_id","step"),
	CONSTRAINT "sum_contributions_step" CHECK ("sum_contributions"."step" in ('keys', 'holders', 'shares', 'vector', 'survivors', 'unmask'))
);
--> statement-breakpoint
CREATE TABLE "sum_steps" (
	"run_id" text NOT NULL,
	"round" integer NOT NULL,
	"attempt" integer NOT NULL,
	"kind" text NOT NULL,
	"step" text NOT NULL,
	"parties" "bytea" NOT NULL,
	"opened_at" timestamp with time zone NOT NULL,
	"closed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sum_steps_run_id_round_attempt_kind_step_pk" PRIMARY KEY("run_id","round","attempt","kind","step"),
	CONSTRAINT "sum_steps_step" CHECK ("sum_steps"."step" in ('keys', 'holders', 'shares', 'vector', 'survivors', 'unmask'))
);
--> statement-breakpoint
ALTER TABLE "sum_contributions" ADD CONSTRAINT "sum_contributions_task_id_tasks_id_fk" FOREIGN KEY ("task_id") REFERENCES "public"."tasks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sum_steps" ADD CONSTRAINT "sum_steps_round" FOREIGN KEY ("run_id","round","attempt") REFERENCES "public"."rounds"("run_id","round","attempt") ON DELETE cascade ON UPDATE no action;